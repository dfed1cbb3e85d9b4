#ifndef WEFT_BACKENDS_HALIDE_HALIDE_FIXTURE_H_
#define WEFT_BACKENDS_HALIDE_HALIDE_FIXTURE_H_

// What tests of this back end share: kernels from text, compared with the loops.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backends/halide/kernel_to_halide.h"
#include "backends/halide/test_kernels.h"
#include "backends/loops/compile_kernel.h"
#include "compiler/ir/weft_dialect.h"
#include "gtest/gtest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

namespace weft::backends {

class HalideTest : public ::testing::Test {
 protected:
  HalideTest() : target_(*ParseTarget("host")) {
    context_.loadDialect<ir::WeftDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                         mlir::scf::SCFDialect, mlir::func::FuncDialect, mlir::tensor::TensorDialect>();
  }

  ir::KernelOp Parse(const std::string& text) {
    modules_.push_back(mlir::parseSourceString<mlir::ModuleOp>(text, &context_));
    if (!modules_.back()) return {};
    return *modules_.back()->getBody()->getOps<ir::KernelOp>().begin();
  }

  // Kept for the next schedule of the same kernel.
  absl::StatusOr<std::vector<testing::Elements>> Reference(ir::KernelOp kernel,
                                                           const testing::KernelCase& inputs,
                                                           const std::vector<testing::Elements>& operands) {
    auto known = references_.find({kernel.getOperation(), inputs.seed});
    if (known != references_.end()) return known->second;
    auto object = CompileWithLoops(kernel, target_, "k");
    if (!object.ok()) return object.status();
    auto results = testing::RunKernel(kernel, *object, "k", inputs, operands);
    if (results.ok()) references_[{kernel.getOperation(), inputs.seed}] = *results;
    return results;
  }

  // What differs between Halide by `schedule` and the loops.
  absl::Status Compare(ir::KernelOp kernel, const Schedule& schedule, const TestKernel& test,
                       ir::KernelOp reference = nullptr) {
    std::vector<testing::Elements> operands = testing::MakeInputs(kernel, test.inputs);
    auto expected = Reference(reference ? reference : kernel, test.inputs, operands);
    if (!expected.ok()) return expected.status();
    auto object = CompileWithHalide(kernel, schedule, target_, "k");
    if (!object.ok()) return object.status();
    auto actual = testing::RunKernel(kernel, *object, "k", test.inputs, operands);
    if (!actual.ok()) return actual.status();
    return testing::CompareResults(kernel, *actual, *expected, test.tolerance);
  }

  mlir::MLIRContext context_;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules_;
  std::map<std::pair<mlir::Operation*, uint32_t>, std::vector<testing::Elements>> references_;
  Target target_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_HALIDE_FIXTURE_H_
