// Sorts, segments and filters, which are calls of the runtime, and updates.

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

// A call of weft_segments in the runtime.
void Translator::EmitSegments(ir::SegmentsOp op) {
  const Place keys = tensors_[op.getKeys()];
  auto starts_type = mlir::cast<mlir::RankedTensorType>(op.getStarts().getType());
  int64_t last = starts_type.getRank() - 1;
  SmallVector<Value> sizes(keys.sizes);
  Value given = op.getSizeOf(op.getStarts(), last);
  sizes.back() = given ? Mapped(given) : Index(starts_type.getDimSize(last));
  Place order =
      Allocate(mlir::cast<mlir::RankedTensorType>(op.getOrder().getType()), keys.sizes, op.getOrder());
  Place starts = Allocate(starts_type, sizes, op.getStarts());
  tensors_[op.getOrder()] = order;
  tensors_[op.getStarts()] = starts;
  Value rows = Index(1);
  for (Value size : llvm::ArrayRef(sizes).drop_back()) rows = arith::MulIOp::create(b_, loc_, rows, size);
  Type i64 = b_.getI64Type();
  func::FuncOp segments = Declare(
      "weft_segments", b_.getFunctionType({pointer_type_, i64, i64, i64, pointer_type_, pointer_type_}, {}));
  func::CallOp::create(b_, loc_, segments,
                       mlir::ValueRange{keys.pointer, ToI64(rows), ToI64(keys.sizes.back()),
                                        ToI64(sizes.back()), order.pointer, starts.pointer});
}

// The rest is copied, unless the result lies where the tensor does.
void Translator::EmitUpdate(ir::UpdateOp op) {
  const Place tensor = tensors_[op.getTensor()], slice = tensors_[op.getSlice()];
  Place result = Allocate(mlir::cast<mlir::RankedTensorType>(op.getType()), tensor.sizes, op.getResult());
  tensors_[op.getResult()] = result;
  OpBuilder::InsertionGuard guard(b_);
  Value elsewhere = LLVM::ICmpOp::create(b_, loc_, LLVM::ICmpPredicate::ne, tensor.pointer, result.pointer);
  auto copies = scf::IfOp::create(b_, loc_, elsewhere, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard inner(b_);
    b_.setInsertionPoint(copies.thenYield());
    LLVM::MemcpyOp::create(b_, loc_, result.pointer, tensor.pointer, ByteSize(tensor), /*isVolatile=*/false);
  }
  // Where the slice begins along each axis that has a position, and which of its elements are inside.
  struct Part {
    Value start, first, end;
  };
  SmallVector<std::optional<Part>> parts(tensor.sizes.size());
  Value inside = arith::ConstantOp::create(b_, loc_, b_.getBoolAttr(true));
  size_t kept = 0;
  for (auto [axis, size] : llvm::enumerate(tensor.sizes)) {
    const auto* place = llvm::find(op.getAxes(), static_cast<int64_t>(axis));
    bool spans = llvm::is_contained(op.getSpans(), static_cast<int64_t>(axis));
    bool wraps = llvm::is_contained(op.getWraps(), static_cast<int64_t>(axis));
    if (place != op.getAxes().end()) {
      Value position = op.getPositions()[static_cast<size_t>(place - op.getAxes().begin())];
      Part& part = parts[axis].emplace();
      part.start = arith::IndexCastOp::create(b_, loc_, b_.getIndexType(), Load(tensors_[position], {}));
      if (!spans) {
        Value fits = Compare(arith::CmpIPredicate::ult, part.start, size);
        inside = arith::AndIOp::create(b_, loc_, inside, fits);
      } else {
        SpanInside(size, slice.sizes[kept], wraps, part.start, part.first, part.end);
      }
    }
    if (place == op.getAxes().end() || spans) ++kept;
  }
  auto writes = scf::IfOp::create(b_, loc_, inside, /*withElseRegion=*/false);
  b_.setInsertionPoint(writes.thenYield());
  SmallVector<Value> at, from;
  for (auto [axis, size] : llvm::enumerate(tensor.sizes)) {
    const std::optional<Part>& part = parts[axis];
    if (part && !part->end) {
      at.push_back(part->start);
      continue;
    }
    auto loop =
        scf::ForOp::create(b_, loc_, part ? part->first : Index(0), part ? part->end : size, Index(1));
    b_.setInsertionPointToStart(loop.getBody());
    from.push_back(loop.getInductionVar());
    at.push_back(from.back());
    if (!part) continue;
    at.back() = arith::AddIOp::create(b_, loc_, part->start, from.back());
    if (!llvm::is_contained(op.getWraps(), static_cast<int64_t>(axis))) continue;
    Value around = arith::SubIOp::create(b_, loc_, at.back(), size);
    Value fits = Compare(arith::CmpIPredicate::ult, at.back(), size);
    at.back() = arith::SelectOp::create(b_, loc_, fits, at.back(), around);
  }
  Store(result, at, Load(slice, from));
}

// Which of `length` elements from `start` on lie inside of an axis; the start is moved to where those that
// are count from.
void Translator::SpanInside(Value size, Value length, bool wraps, Value& start, Value& first, Value& end) {
  if (wraps) {
    Value rest = arith::RemSIOp::create(b_, loc_, start, arith::MaxSIOp::create(b_, loc_, size, Index(1)));
    Value raised = arith::AddIOp::create(b_, loc_, rest, size);
    Value negative = Compare(arith::CmpIPredicate::slt, rest, Index(0));
    start = arith::SelectOp::create(b_, loc_, negative, raised, rest);
    first = Index(0);
    end = arith::MinSIOp::create(b_, loc_, length, size);
    return;
  }
  Value least = arith::SubIOp::create(b_, loc_, Index(0), length);
  start = arith::MaxSIOp::create(b_, loc_, start, least);
  start = arith::MinSIOp::create(b_, loc_, start, size);
  first = arith::SubIOp::create(b_, loc_, Index(0), arith::MinSIOp::create(b_, loc_, start, Index(0)));
  end = arith::MinSIOp::create(b_, loc_, length, arith::SubIOp::create(b_, loc_, size, start));
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
