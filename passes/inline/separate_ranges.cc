#include "passes/inline/separate_ranges.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "passes/inline/prefix.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Whether parts may be reduced first: of nothing there must be a value, and no order among the elements.
bool HasParts(ir::ReduceOp reduce) {
  if (reduce.getLower().size() < 2 || reduce.getIfEmpty()) return false;
  switch (reduce.getKind()) {
    case ir::ReduceKind::sum:
    case ir::ReduceKind::prod:
    case ir::ReduceKind::any:
    case ir::ReduceKind::all:
      return true;
    case ir::ReduceKind::max:
    case ir::ReduceKind::min:
      return mlir::isa<mlir::FloatType>(reduce.getType());
    default:
      return false;
  }
}

template <typename Range>
auto WithoutRange(Range&& list, unsigned range) {
  auto all = llvm::to_vector(list);
  all.erase(all.begin() + range);
  return all;
}

class Separation {
 public:
  explicit Separation(ir::ReduceOp reduce)
      : reduce_(reduce),
        equation_(mlir::dyn_cast<ir::EquationOp>(reduce->getParentOp())),
        loc_(reduce.getLoc()) {}

  bool Matches() {
    if (!equation_ || !HasParts(reduce_)) return false;
    for (unsigned range = 0; range < reduce_.getLower().size(); ++range) {
      auto prefix = MatchPrefix(reduce_, equation_, range);
      if (!prefix || !IsLong(*prefix)) continue;
      SmallVector<Value> bounds;
      for (Value bound : WithoutRange(reduce_.getLower(), range)) bounds.push_back(bound);
      for (Value bound : WithoutRange(reduce_.getUpper(), range)) bounds.push_back(bound);
      auto elements = ElementsOf(reduce_, bounds, equation_, prefix->index);
      if (!elements) continue;
      prefix_ = *prefix;
      elements_ = *elements;
      return true;
    }
    return false;
  }

  // Gives the reduction of the other ranges.
  ir::ReduceOp Run() {
    carried_ = CarriedType(reduce_.getKind(), reduce_.getType());
    ir::EquationOp part = WritePart();
    mlir::OpBuilder at(reduce_);
    auto name = mlir::cast<mlir::StringAttr>(reduce_.getNames()[prefix_.range]).getValue();
    auto rest = ir::ReduceOp::create(
        at, loc_, carried_, reduce_.getKind(), reduce_.getLower()[prefix_.range],
        reduce_.getUpper()[prefix_.range], {name}, {},
        [&](mlir::OpBuilder& body, mlir::Location, mlir::ValueRange element) {
          Value place = element[0];
          if (prefix_.first > 0)
            place = arith::SubIOp::create(body, loc_, place,
                                          arith::ConstantIndexOp::create(body, loc_, prefix_.first));
          SmallVector<Value> subscripts{place};
          llvm::append_range(subscripts, elements_.indices);
          ir::YieldOp::create(body, loc_, CreateRead(body, loc_, part->getResult(0), subscripts).getResult());
        });
    reduce_.getResult().replaceAllUsesWith(Carried(at, loc_, reduce_.getType(), rest.getResult()));
    reduce_->erase();
    return *part.getBody().front().getOps<ir::ReduceOp>().begin();
  }

 private:
  // For every element of the prefix, the reduction over the others.
  ir::EquationOp WritePart() {
    mlir::OpBuilder builder(equation_);
    SmallVector<OpFoldResult> extents{CountOf(prefix_, builder, loc_)};
    SmallVector<mlir::Attribute> names{reduce_.getNames()[prefix_.range]};
    for (Value index : elements_.indices) {
      unsigned position = mlir::cast<mlir::BlockArgument>(index).getArgNumber();
      extents.push_back(ExtentsOf(equation_)[position]);
      names.push_back(equation_.getNames()[position]);
    }
    llvm::StringRef kind = ir::stringifyReduceKind(reduce_.getKind());
    return CreateEquation(builder, PartOf(LabelOf(equation_), kind), extents, names, carried_,
                          [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                            mlir::IRMapping mapping;
                            for (auto [old, index] : llvm::zip_equal(elements_.indices, indices.drop_front()))
                              mapping.map(old, index);
                            for (mlir::Operation* op : elements_.needed) body.clone(*op, mapping);
                            Value element = indices[0];
                            if (prefix_.first > 0)
                              element = arith::AddIOp::create(
                                  body, loc_, element,
                                  arith::ConstantIndexOp::create(body, loc_, prefix_.first));
                            mapping.map(reduce_.getBody().getArgument(prefix_.range), element);
                            return {WriteRest(body, mapping)};
                          });
  }

  Value WriteRest(mlir::OpBuilder& body, mlir::IRMapping& mapping) {
    auto mapped = [&](Value value) { return mapping.lookupOrDefault(value); };
    SmallVector<Value> lower = llvm::map_to_vector(WithoutRange(reduce_.getLower(), prefix_.range), mapped);
    SmallVector<Value> upper = llvm::map_to_vector(WithoutRange(reduce_.getUpper(), prefix_.range), mapped);
    SmallVector<llvm::StringRef> names;
    for (mlir::Attribute name : WithoutRange(reduce_.getNames(), prefix_.range))
      names.push_back(mlir::cast<mlir::StringAttr>(name).getValue());
    return ir::ReduceOp::create(
        body, loc_, carried_, reduce_.getKind(), lower, upper, names, {},
        [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange indices) {
          mapping.map(WithoutRange(reduce_.getBody().getArguments(), prefix_.range), indices);
          mlir::Block& block = reduce_.getBody().front();
          for (mlir::Operation& op : block.without_terminator()) inner.clone(op, mapping);
          auto yield = mlir::cast<ir::YieldOp>(block.getTerminator());
          Value value = Carried(inner, loc_, carried_, mapped(yield.getValues()[0]));
          ir::YieldOp::create(inner, loc_, value,
                              yield.getCondition() ? mapped(yield.getCondition()) : Value());
        });
  }

  ir::ReduceOp reduce_;
  ir::EquationOp equation_;
  mlir::Location loc_;
  Prefix prefix_;
  Elements elements_;
  mlir::Type carried_;
};

}  // namespace

void SeparateRanges(mlir::func::FuncOp function) {
  SmallVector<ir::ReduceOp> open;
  function.walk([&](ir::ReduceOp reduce) { open.push_back(reduce); });
  while (!open.empty()) {
    Separation separation(open.pop_back_val());
    if (separation.Matches()) open.push_back(separation.Run());
  }
}

}  // namespace weft::passes
