// Sorts and filters: calls of the runtime.

#include "backends/loops/element_type.h"
#include "backends/loops/translator.h"

namespace weft::backends::loops {

// A call of weft_sort in the runtime. What fails there is out of memory.
void Translator::EmitSort(ir::SortOp op) {
  const Place keys = tensors_[op.getKeys()];
  auto type = mlir::cast<mlir::RankedTensorType>(op.getOrder().getType());
  SmallVector<Value> sizes(keys.sizes);
  int64_t last = type.getRank() - 1;
  if (Value size = op.getSizeOf(op.getOrder(), last)) {
    sizes.back() = Mapped(size);
  } else {
    sizes.back() = Index(type.getDimSize(last));
  }
  Place order = Allocate(type, sizes, op.getOrder());
  tensors_[op.getOrder()] = order;
  Value rows = Index(1);
  for (Value size : llvm::ArrayRef(sizes).drop_back()) rows = arith::MulIOp::create(b_, loc_, rows, size);
  Type i32 = b_.getI32Type(), i64 = b_.getI64Type();
  func::FuncOp sort = Declare(
      "weft_sort",
      b_.getFunctionType({pointer_type_, i32, i32, pointer_type_, i64, i64, i64, pointer_type_}, {i32}));
  Value result =
      func::CallOp::create(
          b_, loc_, sort,
          mlir::ValueRange{context_, I32(TypeOfElement(keys.element)), I32(op.getDescending()), keys.pointer,
                           ToI64(rows), ToI64(keys.sizes.back()), ToI64(sizes.back()), order.pointer})
          .getResult(0);
  ReturnUnless(Compare(arith::CmpIPredicate::eq, result, I32(0)), kOutOfMemory);
}

// A call of weft_filter in the runtime.
void Translator::EmitFilter(ir::FilterOp op) {
  auto type = mlir::cast<mlir::RankedTensorType>(op.getPositions().getType());
  Value size = op.getSizeOf(op.getPositions(), 0);
  Value most = size ? Mapped(size) : Index(type.getDimSize(0));
  Place positions = Allocate(type, {most}, op.getPositions());
  Place count = Allocate(mlir::cast<mlir::RankedTensorType>(op.getCount().getType()), {}, op.getCount());
  tensors_[op.getPositions()] = positions;
  tensors_[op.getCount()] = count;
  const Place& mask = tensors_[op.getMask()];
  Type i64 = b_.getI64Type();
  func::FuncOp filter =
      Declare("weft_filter", b_.getFunctionType({pointer_type_, i64, i64, pointer_type_, pointer_type_}, {}));
  func::CallOp::create(
      b_, loc_, filter,
      mlir::ValueRange{mask.pointer, ToI64(mask.sizes[0]), ToI64(most), positions.pointer, count.pointer});
}

}  // namespace weft::backends::loops
