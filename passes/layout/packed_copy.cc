#include "passes/layout/packed_copy.h"

#include <algorithm>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/linear_form.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

std::string NameOf(mlir::BlockArgument index) {
  mlir::Operation* owner = index.getOwner()->getParentOp();
  mlir::ArrayAttr names = mlir::isa<ir::EquationOp>(owner) ? mlir::cast<ir::EquationOp>(owner).getNames()
                                                           : mlir::cast<ir::ReduceOp>(owner).getNames();
  return mlir::cast<mlir::StringAttr>(names[index.getArgNumber()]).str();
}

// The value of a form, with other indices in the place of its own.
Value Written(mlir::OpBuilder& builder, mlir::Location location, LinearForm form,
              const mlir::IRMapping& here) {
  for (LinearForm::Term& term : form.terms) term.atom = here.lookup(term.atom);
  return WriteForm(builder, location, form, builder.getIndexType());
}

class Writer {
 public:
  Writer(mlir::OpBuilder& body, mlir::Location location, llvm::ArrayRef<PackedAxis> axes,
         mlir::ValueRange places)
      : body_(body), location_(location), axes_(axes), places_(places) {
    for (const PackedAxis& axis : axes_)
      if (!here_.contains(axis.index)) here_.map(axis.index, Whole(axis.index, axis.length));
  }

  Value Element(ir::ReadOp read) {
    SmallVector<Value> subscripts;
    auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
      LinearForm form = type.getDimSize(axis) == 1 ? LinearForm() : LinearFormOf(subscript);
      subscripts.push_back(Written(body_, location_, form, here_));
    }
    Value element = CreateRead(body_, location_, read.getTensor(), subscripts);
    if (!inside_) return element;
    Value zero = arith::ConstantOp::create(body_, location_, body_.getZeroAttr(read.getResult().getType()));
    return arith::SelectOp::create(body_, location_, inside_, element, zero);
  }

 private:
  // The index that the places along its parts make up, kept inside of its range.
  Value Whole(Value index, int64_t length) {
    SmallVector<size_t> parts;
    for (size_t i = 0; i < axes_.size(); ++i)
      if (axes_[i].index == index) parts.push_back(i);
    llvm::sort(parts, [&](size_t a, size_t b) { return axes_[a].divisor > axes_[b].divisor; });
    Value whole;
    int64_t capacity = 1;
    for (size_t part : parts) {
      Value place = places_[part];
      if (axes_[part].divisor > 1) {
        Value step = arith::ConstantIndexOp::create(body_, location_, axes_[part].divisor);
        place = arith::MulIOp::create(body_, location_, place, step);
      }
      whole = whole ? arith::AddIOp::create(body_, location_, whole, place) : place;
      capacity *= axes_[part].Extent();
    }
    if (capacity <= length) return whole;
    Value count = arith::ConstantIndexOp::create(body_, location_, length);
    Value last = arith::ConstantIndexOp::create(body_, location_, length - 1);
    Value fits = arith::CmpIOp::create(body_, location_, arith::CmpIPredicate::ult, whole, count);
    inside_ = inside_ ? arith::AndIOp::create(body_, location_, inside_, fits) : fits;
    return arith::MinUIOp::create(body_, location_, whole, last);
  }

  mlir::OpBuilder& body_;
  mlir::Location location_;
  llvm::ArrayRef<PackedAxis> axes_;
  mlir::ValueRange places_;
  mlir::IRMapping here_;
  Value inside_;
};

}  // namespace

std::vector<std::pair<std::string, mlir::BlockArgument>> IndicesAround(ir::ReadOp read) {
  std::vector<std::pair<std::string, mlir::BlockArgument>> indices;
  for (mlir::Operation* op = read->getParentOp(); op; op = op->getParentOp()) {
    if (!mlir::isa<ir::ReduceOp, ir::EquationOp>(op)) continue;
    for (mlir::BlockArgument index : op->getRegion(0).getArguments())
      indices.emplace_back(NameOf(index), index);
    if (mlir::isa<ir::EquationOp>(op)) break;
  }
  return indices;
}

std::optional<int64_t> LengthOf(mlir::BlockArgument index, ir::ReadOp read) {
  mlir::Operation* owner = index.getOwner()->getParentOp();
  if (auto equation = mlir::dyn_cast<ir::EquationOp>(owner)) {
    int64_t extent = equation.getStaticExtents()[index.getArgNumber()];
    return mlir::ShapedType::isDynamic(extent) ? std::nullopt : std::optional(extent);
  }
  auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
  for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts()))
    if (subscript == index && !type.isDynamicDim(axis)) return type.getDimSize(axis);
  auto reduce = mlir::cast<ir::ReduceOp>(owner);
  llvm::APInt lower, upper;
  if (!mlir::matchPattern(reduce.getLower()[index.getArgNumber()], mlir::m_ConstantInt(&lower)) ||
      !mlir::matchPattern(reduce.getUpper()[index.getArgNumber()], mlir::m_ConstantInt(&upper)) ||
      !lower.isZero())
    return std::nullopt;
  return std::max<int64_t>(0, upper.getSExtValue());
}

Packing AsWritten(llvm::StringRef operand, ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes) {
  Packing packing{operand.str(), {}};
  for (const PackedAxis& axis : axes)
    packing.order.push_back(
        {NameOf(mlir::cast<mlir::BlockArgument>(axis.index)), axis.divisor, axis.modulus});
  return packing;
}

ir::ReadOp ReadPackedCopy(ir::EquationOp equation, ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes,
                          llvm::StringRef part) {
  mlir::OpBuilder outside(equation);
  auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
  SmallVector<mlir::OpFoldResult> extents;
  SmallVector<mlir::Attribute> names;
  for (const PackedAxis& axis : axes) {
    extents.push_back(outside.getIndexAttr(axis.Extent()));
    names.push_back(outside.getStringAttr(axis.name));
  }
  auto packed =
      CreateEquation(outside, PartOf(LabelOf(equation), part), extents, names, type.getElementType(),
                     [&](mlir::OpBuilder& body, mlir::ValueRange places) -> SmallVector<Value> {
                       return {Writer(body, equation.getLoc(), axes, places).Element(read)};
                     });
  mlir::OpBuilder builder(read);
  SmallVector<Value> subscripts;
  for (const PackedAxis& axis : axes) {
    Value place = axis.index;
    auto by = [&](int64_t number) { return arith::ConstantIndexOp::create(builder, read.getLoc(), number); };
    if (axis.divisor > 1) place = arith::DivUIOp::create(builder, read.getLoc(), place, by(axis.divisor));
    if (axis.modulus > 0) place = arith::RemUIOp::create(builder, read.getLoc(), place, by(axis.modulus));
    subscripts.push_back(place);
  }
  ir::ReadOp replaced = CreateRead(builder, read.getLoc(), packed->getResult(0), subscripts);
  read.getResult().replaceAllUsesWith(replaced);
  read->erase();
  return replaced;
}

}  // namespace weft::passes
