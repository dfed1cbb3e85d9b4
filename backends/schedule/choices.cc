#include "backends/schedule/choices.h"

#include <algorithm>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {
namespace {

namespace arith = mlir::arith;

constexpr int64_t kMostCopies = 64;

int64_t PeriodOf(const EquationView& view, mlir::Value index, int64_t extent) {
  int64_t period = 0;
  view.op->walk([&](arith::SelectOp select) {
    auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
    int64_t number = 0;
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::eq ||
        !ConstantIndex(compare.getRhs(), &number))
      return;
    if (compare.getLhs() == index) period = std::max(period, extent);
    auto rest = compare.getLhs().getDefiningOp<arith::RemUIOp>();
    if (rest && rest.getLhs() == index && ConstantIndex(rest.getRhs(), &number))
      period = std::max(period, number);
  });
  return period;
}

}  // namespace

std::vector<int64_t> PeriodsOfChoices(const Plan& plan, size_t first) {
  std::vector<int64_t> periods(plan.domain.size());
  int64_t copies = 1;
  for (size_t i = plan.domain.size(); i > first + 1; --i) {
    size_t loop = i - 2;
    const std::vector<mlir::Value>& indices = plan.domain_indices[loop];
    int64_t period = indices.size() == 1 ? PeriodOf(*plan.view, indices[0], plan.domain[loop].extent) : 0;
    if (period <= 0 || copies * period > kMostCopies) break;
    periods[loop] = period;
    copies *= period;
  }
  return periods;
}

void UnrollPeriod(Plan& plan, const LoopInfo& loop, int64_t period,
                  std::vector<std::pair<std::string, int64_t>>& outer, std::vector<std::string>& inner) {
  std::string steps, step = loop.name;
  if (loop.extent != period) {
    plan.Split(loop.name, period, &steps, &step);
    outer.emplace_back(steps, loop.extent < 0 ? kUnknown : (loop.extent + period - 1) / period);
  }
  plan.Mark(DirectiveKind::kUnroll, step);
  inner.push_back(step);
}

int64_t TilesAtOnce(const KernelView& kernel, const Target& target) {
  auto points = [](const EquationView& equation) {
    int64_t count = 1;
    for (size_t i = equation.common.back() + 1; i < equation.indices.size(); ++i)
      count *= equation.loops.domain[i].extent;
    return count;
  };
  for (const EquationView& products : kernel.equations) {
    if (products.packed_axis < 0 || products.common.empty()) continue;
    int64_t elements = points(products), weights = 0;
    for (const ReadView& read : products.reads) {
      auto type = mlir::cast<mlir::RankedTensorType>(read.tensor.getType());
      auto tiles = std::find_if(kernel.equations.begin(), kernel.equations.end(),
                                [&](const EquationView& other) { return other.results[0] == read.tensor; });
      if (tiles != kernel.equations.end())
        elements += points(*tiles);
      else if (type.hasStaticShape())
        weights = type.getNumElements();
    }
    int64_t extent = products.loops.domain[products.common.back()].extent;
    int64_t count =
        passes::TilesAtOnce(ForPasses(target), extent < 0 ? 1024 : extent, 4 * elements, 4 * weights);
    return std::max<int64_t>(1, count);
  }
  return 1;
}

const EquationView* OnlyReader(const KernelView& kernel, const EquationView& equation) {
  const EquationView* only = nullptr;
  int readers = 0;
  for (const EquationView& other : kernel.equations) {
    bool reads = std::any_of(other.reads.begin(), other.reads.end(),
                             [&](const ReadView& read) { return read.tensor == equation.results[0]; });
    if (reads) only = &other, ++readers;
  }
  bool chain = readers == 1 && equation.reduces.empty() && only->reduces.empty();
  return chain && only != &kernel.equations.back() ? only : nullptr;
}

}  // namespace weft::backends
