#include "compiler/ir/until.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/inline/choice_writer.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Each element becomes a loop of one step, which is made or not.
class SideWriter : ChoiceWriter {
 public:
  using ChoiceWriter::ChoiceWriter;

  void Run() {
    Value before;
    for (ChoiceElement& element : choice_.elements) {
      if (!element.is_costly) continue;
      auto count = Number("taken", [&](mlir::OpBuilder& body) -> Value {
        mlir::IRMapping mapping;
        Value selector = CloneGuarded(body, choice_.Selector(), choice_.equation, mapping);
        Value first = arith::ConstantIndexOp::create(body, loc_, element.first);
        Value last = arith::ConstantIndexOp::create(body, loc_, element.last);
        Value inside = arith::AndIOp::create(
            body, loc_, arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::sge, selector, first),
            arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::slt, selector, last));
        return arith::ExtUIOp::create(body, loc_, body.getI64Type(), inside);
      });
      before = RunIf(count, before, element);
    }
    for (ChoiceElement& element : choice_.elements) element.results = before;
    ReadResults([](mlir::OpBuilder&, ChoiceElement&) { return SmallVector<Value>(); });
  }

 private:
  Value RunIf(Value steps, Value before, ChoiceElement& element) {
    SmallVector<int64_t> shape;
    SmallVector<Value> sizes;
    for (OpFoldResult extent : choice_.rest_extents) {
      shape.push_back(mlir::isa<mlir::Attribute>(extent) ? *mlir::getConstantIntValue(extent)
                                                         : mlir::ShapedType::kDynamic);
      if (auto size = mlir::dyn_cast<Value>(extent)) sizes.push_back(size);
    }
    auto type = mlir::RankedTensorType::get(shape, element.value.getType());
    SmallVector<Value> from;
    if (before) from.push_back(before);
    ir::LoopStates states{{.given = static_cast<int64_t>(from.size()), .keep = ir::Keep::kLast}};
    states.Number();
    auto side =
        ir::LoopOp::create(builder_, loc_, {type}, ir::LoopOrder::up, steps, "case", {}, from, sizes, states,
                           [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange) {
                             mlir::IRMapping mapping;
                             for (mlir::Operation* op : element.own) inner.clone(*op, mapping);
                             auto value = CreateEquation(
                                 inner, LabelOf(choice_.equation), choice_.rest_extents, Names(choice_.rest),
                                 element.value.getType(),
                                 [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                                   mapping.map(choice_.rest, indices);
                                   return {Clone(body, element.value, mapping)};
                                 });
                             ir::YieldOp::create(inner, loc_, value->getResults());
                           });
    side->setAttr(ir::kSide, builder_.getUnitAttr());
    return side.getResult(0);
  }
};

}  // namespace

void ComputeChosen(Choice& choice) { SideWriter(choice).Run(); }

}  // namespace weft::passes
