#include "backends/schedule/work.h"

#include <algorithm>
#include <cmath>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace weft::backends {
namespace {

constexpr double kTaskCycles = 10'000;  // some hundred times what a task's start takes
constexpr double kWorthThreads = 8'000;
constexpr int64_t kMostTasksPerThread = 8;

// In instructions of which two run at a time.
double Cost(mlir::Operation* op) {
  // Inside a reduction what is read is often in a register already.
  bool reduced = op->getParentOfType<ir::ReduceOp>() != nullptr;
  return llvm::TypeSwitch<mlir::Operation*, double>(op)
      .Case<mlir::arith::ConstantOp, mlir::arith::IndexCastOp, ir::YieldOp, ir::ReduceOp>(
          [](auto) { return 0.0; })
      .Case<ir::ReadOp>([&](auto) { return reduced ? 1.0 : 3.0; })
      .Case<mlir::arith::DivFOp, mlir::arith::RemFOp, mlir::arith::DivSIOp, mlir::arith::RemSIOp,
            mlir::math::SqrtOp, mlir::math::RsqrtOp>([](auto) { return 12.0; })
      // Calls of the C library.
      .Case<mlir::math::ExpOp, mlir::math::LogOp, mlir::math::TanhOp, mlir::math::ErfOp, mlir::math::SinOp,
            mlir::math::CosOp, mlir::math::TanOp, mlir::math::Atan2Op, mlir::math::PowFOp>(
          [](auto) { return 400.0; })
      .Default([](mlir::Operation*) { return 1.0; });
}

double Steps(const ReduceView& reduce) {
  double steps = 1;
  for (size_t i = 0; i < reduce.lower.size(); ++i) {
    int64_t lower = 0, upper = 0;
    bool known = ConstantIndex(reduce.lower[i], &lower) && ConstantIndex(reduce.upper[i], &upper);
    steps *= known ? static_cast<double>(std::max<int64_t>(0, upper - lower)) : 16.0;
  }
  return steps;
}

}  // namespace

double CyclesPerPoint(const EquationView& equation, const Target& target) {
  double instructions = 1;
  equation.op->walk([&](mlir::Operation* op) {
    if (op == equation.op) return;
    double times = 1;
    for (const ReduceView& reduce : equation.reduces) {
      if (reduce.op->isProperAncestor(op)) times *= Steps(reduce);
    }
    instructions += times * Cost(op);
  });
  return instructions / (2.0 * Lanes(target, 4));
}

bool WorthThreads(double cycles, const Target& target) { return target.cores > 1 && cycles > kWorthThreads; }

int64_t StepsPerTask(int64_t extent, double cycles, const Target& target) {
  auto least = static_cast<int64_t>(std::ceil(kTaskCycles / std::max(cycles, 1e-3)));
  if (least <= 1) return 1;
  if (extent < 0) return least;
  int64_t best = extent;
  double best_cost = 2.0 * target.cores;
  for (int64_t each = 1; each <= kMostTasksPerThread; ++each) {
    int64_t steps = (extent + each * target.cores - 1) / (each * target.cores);
    if (each > 1 && steps < least) break;
    int64_t tasks = (extent + steps - 1) / steps, rounds = (tasks + target.cores - 1) / target.cores;
    // What the busiest thread does, over an even share; of equal ones the smaller tasks.
    double cost = static_cast<double>(rounds * steps * target.cores) /
                  static_cast<double>(std::max<int64_t>(1, extent));
    if (cost < best_cost + 0.01) best = steps, best_cost = std::min(cost, best_cost);
  }
  return std::max<int64_t>(1, best);
}

}  // namespace weft::backends
