// weft-opt: runs passes on the text of a module.

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "passes/pipeline/pipeline.h"

int main(int argc, char** argv) {
  mlir::DialectRegistry registry;
  registry.insert<weft::ir::WeftDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::math::MathDialect, mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  mlir::registerTransformsPasses();
  weft::passes::RegisterPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "weft-opt: passes on the text of a module\n", registry));
}
