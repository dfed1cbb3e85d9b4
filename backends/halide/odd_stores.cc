#include "backends/halide/odd_stores.h"

namespace weft::backends {

using namespace Halide::Internal;
using Halide::Expr;

Stmt StoreOddLanesAlone::visit(const Store* store) {
  const Ramp* ramp = store->index.as<Ramp>();
  int lanes = store->value.type().lanes();
  if (!ramp || !is_const_one(ramp->stride) || is_const_one(store->predicate) || lanes < 3 || lanes % 2 == 0)
    return IRMutator::visit(store);
  std::string value_name = unique_name("value"), mask_name = unique_name("mask");
  Expr value = Variable::make(store->value.type(), value_name);
  Expr mask = Variable::make(store->predicate.type(), mask_name);
  auto first = [&](const Expr& all) { return Shuffle::make_slice(all, 0, 1, lanes - 1); };
  auto last = [&](const Expr& all) { return Shuffle::make_extract_element(all, lanes - 1); };
  Stmt most = Store::make(store->name, first(value), Ramp::make(ramp->base, ramp->stride, lanes - 1),
                          store->param, first(mask), store->alignment);
  Stmt rest = Store::make(store->name, last(value), ramp->base + (lanes - 1), store->param, const_true(),
                          ModulusRemainder());
  Stmt both = Block::make(most, IfThenElse::make(last(mask), rest));
  return LetStmt::make(value_name, store->value, LetStmt::make(mask_name, store->predicate, both));
}

}  // namespace weft::backends
