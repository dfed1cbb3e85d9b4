#include "passes/analysis/equation.h"
#include "passes/fusion/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_GROUPEQUATIONS
#include "passes/fusion/passes.h.inc"

namespace {

struct GroupEquationsPass : impl::GroupEquationsBase<GroupEquationsPass> {
  using GroupEquationsBase::GroupEquationsBase;
  void runOnOperation() override {
    int64_t number = 0;
    mlir::Builder builder(&getContext());
    for (ir::EquationOp equation : getOperation().getBody().front().getOps<ir::EquationOp>())
      equation->setAttr("group", builder.getI64IntegerAttr(number++));
  }
};

}  // namespace
}  // namespace weft::passes
