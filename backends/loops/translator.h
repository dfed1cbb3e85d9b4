#ifndef WEFT_BACKENDS_LOOPS_TRANSLATOR_H_
#define WEFT_BACKENDS_LOOPS_TRANSLATOR_H_

// How a kernel becomes plain loops; kernel_to_loops.h is the interface.

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "backends/loops/compile_kernel.h"
#include "backends/loops/reduction.h"
#include "compiler/ir/scatter_ops.h"
#include "llvm/ADT/DenseMap.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

namespace weft::backends::loops {

namespace arith = mlir::arith;
namespace cf = mlir::cf;
namespace func = mlir::func;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;
namespace tensor = mlir::tensor;
using llvm::SmallVector;
using mlir::Block;
using mlir::Location;
using mlir::LogicalResult;
using mlir::OpBuilder;
using mlir::Operation;
using mlir::OpFoldResult;
using mlir::Type;
using mlir::Value;

constexpr int64_t kAlignment = 64;
// Intermediate tensors up to this size live on the stack, all of a kernel together up to kStackTotal.
constexpr int64_t kStackBytes = 4 << 10;
constexpr int64_t kStackTotal = 64 << 10;

// A dense row-major tensor in memory.
struct Place {
  Value pointer;
  SmallVector<Value> sizes;  // of type index
  Type element;
};

// A state of a loop of steps. Its slices lie in the result where that keeps all of them, else in a ring: the
// one that is computed, and as many before it as the window is wide.
struct StepState {
  ir::LoopState state;
  Place slice;  // without pointer
  Value bytes;  // of a slice, i64
  Value rows, history, last;
  SmallVector<Value> given;
};

// Writes one kernel as a function of plain loops: scf, cf and LLVM memory operations.
class Translator {
 public:
  Translator(ir::KernelOp kernel, absl::string_view symbol, bool check_reads, mlir::ModuleOp module)
      : kernel_(kernel),
        symbol_(symbol.data(), symbol.size()),
        check_reads_(check_reads),
        module_(module),
        b_(module.getContext()),
        loc_(kernel.getLoc()),
        pointer_type_(LLVM::LLVMPointerType::get(module.getContext())) {}

  LogicalResult Run();

 private:
  // The function's frame: arguments, results, intermediate tensors.
  void BindArguments();
  void PlanResults();
  Place Allocate(mlir::RankedTensorType type, SmallVector<Value> sizes, Value tensor);
  Value AllocateOnHeap(Value bytes);
  void FreeAll();
  void ReturnStatus(Value status);
  void ReturnUnless(Value good, LoopsResult failure);
  LogicalResult EmitReturn(ir::ReturnOp op);
  func::FuncOp Declare(llvm::StringRef name, mlir::FunctionType type);

  // Statements and scalars.
  LogicalResult EmitOp(Operation* op);
  LogicalResult EmitBody(Block& block);
  LogicalResult EmitEquation(ir::EquationOp op);
  LogicalResult EmitSteps(ir::LoopOp op);
  void StartStates(ir::LoopOp op, Value extent, SmallVector<StepState>& states);
  Value RowAt(Value base, Value position, Value bytes);
  Value RowOfStep(const StepState& state, Value step, Value extent, bool down, int64_t ago);
  LogicalResult EmitReduce(ir::ReduceOp op);
  LogicalResult EmitReduceLoops(ir::ReduceOp op, const Reduction& reduction, size_t depth, Value position,
                                mlir::ValueRange lengths, mlir::ValueRange state, SmallVector<Value>& next);
  void EmitSort(ir::SortOp op);
  void EmitSegments(ir::SegmentsOp op);
  void EmitUpdate(ir::UpdateOp op);
  void SpanInside(Value size, Value length, bool wraps, Value& start, Value& first, Value& end);
  void EmitFilter(ir::FilterOp op);
  void EmitExtern(ir::ExternOp op);
  LogicalResult EmitIf(scf::IfOp op);
  void EmitRead(ir::ReadOp op);
  LogicalResult EmitDim(tensor::DimOp op);
  void EmitTensorConstant(arith::ConstantOp op);
  LogicalResult EmitView(Operation* op, Value source, SmallVector<OpFoldResult> sizes);
  void EmitCollapse(tensor::CollapseShapeOp op);
  LogicalResult EmitScalarOp(Operation* op);

  // Memory.
  Value Address(const Place& place, mlir::ValueRange subscripts);
  Value Load(const Place& place, mlir::ValueRange subscripts);
  void Store(const Place& place, mlir::ValueRange subscripts, Value value);
  Value ByteSize(const Place& place);
  Type StoredType(Type element) { return element.isInteger(1) ? b_.getI8Type() : element; }

  // Small constructions.
  Value Index(int64_t number) { return arith::ConstantIndexOp::create(b_, loc_, number); }
  Value I64(int64_t number) { return arith::ConstantIntOp::create(b_, loc_, b_.getI64Type(), number); }
  Value I32(int64_t number) { return arith::ConstantIntOp::create(b_, loc_, b_.getI32Type(), number); }
  Value Zero(Type type) { return arith::ConstantOp::create(b_, loc_, b_.getZeroAttr(type)); }
  Value ToI64(Value index) { return arith::IndexCastOp::create(b_, loc_, b_.getI64Type(), index); }
  Value Compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(b_, loc_, predicate, a, b);
  }
  Value Mapped(Value value) { return scalars_.lookupOrDefault(value); }
  SmallVector<Value> Mapped(mlir::ValueRange values) {
    return llvm::map_to_vector(values, [&](Value value) { return Mapped(value); });
  }
  Value Mapped(OpFoldResult size) {
    if (auto number = mlir::dyn_cast<mlir::Attribute>(size)) {
      return Index(mlir::cast<mlir::IntegerAttr>(number).getInt());
    }
    return Mapped(mlir::cast<Value>(size));
  }

  ir::KernelOp kernel_;
  std::string symbol_;
  bool check_reads_;
  mlir::ModuleOp module_;
  OpBuilder b_;
  Location loc_;
  Type pointer_type_;

  func::FuncOp function_;
  Value context_, buffers_, extents_;
  Value status_;  // where a failed check is noted; null without check_reads
  mlir::IRMapping scalars_;
  llvm::DenseMap<Value, Place> tensors_;
  llvm::DenseMap<Value, Value> result_buffers_;  // of tensors that are computed in place of a result
  SmallVector<Value> heap_;
  int64_t stack_bytes_ = 0;
  int constants_ = 0;
};

}  // namespace weft::backends::loops

#endif  // WEFT_BACKENDS_LOOPS_TRANSLATOR_H_
