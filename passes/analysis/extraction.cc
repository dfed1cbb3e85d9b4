#include "passes/analysis/extraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/speculation.h"

namespace weft::passes {

using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

namespace {

bool IsInBody(mlir::Operation* op, ir::EquationOp equation) { return equation->isProperAncestor(op); }

void CollectSlice(Value value, ir::EquationOp equation, llvm::SetVector<mlir::Operation*>& slice) {
  mlir::Operation* op = value.getDefiningOp();
  if (!op || !IsInBody(op, equation) || slice.contains(op)) return;
  for (Value used : UsedFromOutside(op)) CollectSlice(used, equation, slice);
  slice.insert(op);
}

}  // namespace

OpFoldResult ExtentOf(Value index, ir::EquationOp equation) {
  auto argument = mlir::cast<mlir::BlockArgument>(index);
  mlir::Operation* owner = argument.getOwner()->getParentOp();
  unsigned position = argument.getArgNumber();
  if (owner == equation.getOperation()) return ExtentsOf(equation)[position];
  auto reduce = mlir::dyn_cast<ir::ReduceOp>(owner);
  if (!reduce || mlir::getConstantIntValue(reduce.getLower()[position]) != 0) return {};
  Value upper = reduce.getUpper()[position];
  if (auto number = mlir::getConstantIntValue(upper))
    return mlir::Builder(equation.getContext()).getIndexAttr(std::max<int64_t>(0, *number));
  mlir::Operation* definer = upper.getDefiningOp();
  return definer && !IsInBody(definer, equation) ? OpFoldResult(upper) : OpFoldResult();
}

mlir::Attribute NameOf(Value index) {
  auto argument = mlir::cast<mlir::BlockArgument>(index);
  mlir::Operation* owner = argument.getOwner()->getParentOp();
  auto names = mlir::isa<ir::EquationOp>(owner) ? mlir::cast<ir::EquationOp>(owner).getNames()
                                                : mlir::cast<ir::ReduceOp>(owner).getNames();
  return names[argument.getArgNumber()];
}

SmallVector<Value> OrderedIndices(Value value, ir::EquationOp equation) {
  llvm::SetVector<Value> used = IndicesOf(value);
  SmallVector<Value> ordered;
  for (Value index : equation.getBody().getArguments())
    if (used.contains(index)) ordered.push_back(index);
  for (Value index : used)
    if (!llvm::is_contained(ordered, index)) ordered.push_back(index);
  return ordered;
}

llvm::SetVector<mlir::Operation*> SliceOf(Value value, ir::EquationOp equation) {
  llvm::SetVector<mlir::Operation*> slice;
  CollectSlice(value, equation, slice);
  return slice;
}

bool CanExtract(Value value, ir::EquationOp equation) {
  if (value.getType().isIndex()) return false;  // tensors hold i64
  return llvm::all_of(IndicesOf(value),
                      [&](Value index) { return static_cast<bool>(ExtentOf(index, equation)); });
}

bool IsSliceSpeculatable(Value value, ir::EquationOp equation) {
  return llvm::all_of(SliceOf(value, equation), [](mlir::Operation* op) { return IsSpeculatable(op); });
}

Value CloneGuarded(mlir::OpBuilder& builder, Value value, ir::EquationOp equation, mlir::IRMapping& mapping) {
  for (mlir::Operation* op : SliceOf(value, equation)) {
    if (mapping.contains(op->getResult(0))) continue;
    mlir::Operation* clone = builder.clone(*op, mapping);
    if (IsSpeculatable(op)) continue;
    clone->walk([&](ir::ReadOp read) {
      SmallVector<ir::Outside> outside = OutsideOf(read);
      for (ir::Outside& word : outside)
        if (word == ir::Outside::inside) word = ir::Outside::fill;
      mlir::OpBuilder at(read);
      Value fill = read.getFill();
      if (!fill && llvm::is_contained(outside, ir::Outside::fill))
        fill = mlir::arith::ConstantOp::create(at, read.getLoc(), at.getZeroAttr(read.getType()));
      Value guarded = CreateRead(at, read.getLoc(), read.getTensor(), read.getSubscripts(), outside, fill);
      read.getResult().replaceAllUsesWith(guarded);
      if (clone == read.getOperation()) mapping.map(op->getResult(0), guarded);
      read.erase();
    });
  }
  return mapping.lookupOrDefault(value);
}

ir::EquationOp ExtractEquation(Value value, ir::EquationOp equation) {
  SmallVector<Value> indices = OrderedIndices(value, equation);
  SmallVector<OpFoldResult> extents;
  SmallVector<mlir::Attribute> names;
  for (Value index : indices) {
    extents.push_back(ExtentOf(index, equation));
    names.push_back(NameOf(index));
  }
  llvm::SetVector<mlir::Operation*> slice = SliceOf(value, equation);
  mlir::OpBuilder builder(equation);
  auto reduce = value.getDefiningOp<ir::ReduceOp>();
  EquationLabel label =
      PartOf(LabelOf(equation), reduce ? ir::stringifyReduceKind(reduce.getKind()) : "part");
  auto extracted =
      CreateEquation(builder, label, extents, names, value.getType(),
                     [&](mlir::OpBuilder& body, mlir::ValueRange arguments) -> SmallVector<Value> {
                       mlir::IRMapping mapping;
                       mapping.map(indices, arguments);
                       for (mlir::Operation* op : slice) body.clone(*op, mapping);
                       return {mapping.lookupOrDefault(value)};
                     });
  builder.setInsertionPoint(value.getDefiningOp());
  Value read = CreateRead(builder, value.getLoc(), extracted->getResult(0), indices);
  value.replaceAllUsesWith(read);
  return extracted;
}

}  // namespace weft::passes
