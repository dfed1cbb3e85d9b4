#include <algorithm>

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/composition.h"
#include "passes/analysis/equation.h"
#include "passes/fusion/fusion_words.h"
#include "passes/fusion/passes.h"

// One equation takes another one's place in its body. Two rules (passes/README.md, "Cost of fusion"):
//   epilogue: the producer is read once per element of the consumer's domain and nowhere else. Nothing is
//   computed
//     twice, so it always pays: bias, activation and residual join the contraction that makes their operand.
//   cheap producer: it has no reduction, and computing it again costs less than storing and loading it.

namespace weft::passes {

#define GEN_PASS_DEF_COMPOSEEQUATIONS
#include "passes/fusion/passes.h.inc"

namespace {

using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// What storing an element and loading it again costs, in additions: memory beyond the first caches moves one
// float in the time of about sixteen operations each way.
constexpr double kStoreAndLoad = 32;
// Stands for sizes that are not numbers, above and below a fraction bar alike.
constexpr double kUnknownLength = 64;
// Bodies beyond this many operations are left as they are: back ends take longer than linear time.
constexpr size_t kLargestBody = 256;
// What a read at a place given by data costs beside one at a place that follows from the loops.
constexpr double kGather = 4;

size_t BodySize(ir::EquationOp equation) {
  size_t count = 0;
  equation.getBody().walk([&](mlir::Operation*) { ++count; });
  return count;
}

double Points(ir::EquationOp equation) {
  double points = 1;
  for (int64_t extent : equation.getStaticExtents())
    points *= mlir::ShapedType::isDynamic(extent) ? kUnknownLength : static_cast<double>(extent);
  return points;
}

// How often the body around `read` asks for it.
double Evaluations(ir::ReadOp read) {
  double count = Points(EnclosingEquation(read));
  for (mlir::Operation* op = read->getParentOp(); !mlir::isa<ir::EquationOp>(op); op = op->getParentOp()) {
    auto reduce = mlir::dyn_cast<ir::ReduceOp>(op);
    if (!reduce) continue;
    for (auto [lower, upper] : llvm::zip_equal(reduce.getLower(), reduce.getUpper())) {
      auto from = mlir::getConstantIntValue(lower), to = mlir::getConstantIntValue(upper);
      count *= from && to ? static_cast<double>(std::max<int64_t>(0, *to - *from)) : kUnknownLength;
    }
  }
  return count;
}

// Whether `read` runs once over all of the producer when its equation runs over its domain: subscripts are
// the indices of the domain, each once, over axes of the same sizes. Axes of size 1 do not matter.
bool RunsOverProducer(ir::ReadOp read, ir::EquationOp producer, ir::EquationOp consumer) {
  if (!IsInside(read) || read->getBlock() != &consumer.getBody().front()) return false;
  SmallVector<OpFoldResult> extents = ExtentsOf(consumer), produced = ExtentsOf(producer);
  llvm::SmallBitVector used(extents.size());
  for (auto [subscript, extent] : llvm::zip_equal(read.getSubscripts(), produced)) {
    if (mlir::getConstantIntValue(extent) == 1) continue;
    auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
    if (!index || index.getOwner() != &consumer.getBody().front()) return false;
    unsigned position = index.getArgNumber();
    if (used.test(position) || !SameSize(extents[position], extent)) return false;
    used.set(position);
  }
  for (auto [position, extent] : llvm::enumerate(extents))
    if (!used.test(position) && mlir::getConstantIntValue(extent) != 1) return false;
  return true;
}

class Composer {
 public:
  explicit Composer(mlir::func::FuncOp function) : function_(function), builder_(function.getContext()) {}

  void Run() {
    while (ComposeOne(&Composer::IsEpilogueOf) || ComposeOne(&Composer::IsCheap)) {
    }
  }

 private:
  using Rule = bool (Composer::*)(ir::EquationOp producer, llvm::ArrayRef<ir::ReadOp> reads);

  // The most expensive producers first: of two contractions that an addition joins, the larger one gets the
  // other one as operand of its epilogue.
  bool ComposeOne(Rule rule) {
    SmallVector<std::pair<double, ir::EquationOp>> producers;
    for (ir::EquationOp equation : function_.getBody().front().getOps<ir::EquationOp>())
      producers.emplace_back(Points(equation) * CostPerPoint(equation, kUnknownLength), equation);
    std::stable_sort(producers.begin(), producers.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto [cost, producer] : producers) {
      if (producer->getNumResults() != 1 || producer->use_empty()) continue;
      std::optional<SmallVector<ir::ReadOp>> reads = OnlyReads(producer->getResult(0));
      if (IsKept(producer) ||
          (reads && llvm::any_of(*reads, [](ir::ReadOp read) { return IsKept(EnclosingEquation(read)); })))
        continue;
      if (!reads || !(this->*rule)(producer, *reads)) continue;
      Compose(producer, *reads);
      return true;
    }
    return false;
  }

  // A copy in another order is there for its order.
  static bool IsKept(ir::EquationOp equation) {
    return equation->hasAttr("relayout") || equation->hasAttr(kStandsAlone) || IsAlone(equation);
  }

  bool IsEpilogueOf(ir::EquationOp producer, llvm::ArrayRef<ir::ReadOp> reads) {
    ir::EquationOp consumer = EnclosingEquation(reads.front());
    if (consumer->getNumResults() != 1 || BodySize(producer) + BodySize(consumer) > kLargestBody)
      return false;
    for (ir::ReadOp read : reads) {
      if (EnclosingEquation(read) != consumer || !RunsOverProducer(read, producer, consumer)) return false;
      if (read.getSubscripts() != ir::ReadOp(reads.front()).getSubscripts()) return false;
    }
    // Two reductions in one body are two loop nests that no template knows.
    return !(HasReduction(producer) && HasReduction(consumer));
  }

  bool IsCheap(ir::EquationOp producer, llvm::ArrayRef<ir::ReadOp> reads) {
    if (HasReduction(producer) || BodySize(producer) > kLargestBody) return false;
    double cost = CostPerPoint(producer, kUnknownLength) - 1;
    producer.getBody().walk([&](ir::ReadOp) { cost += 1; });
    if (ClassOf(producer) == "gather") cost += kGather;
    cost = std::max(cost, 0.0);
    double evaluations = 0;
    bool one_consumer = true;
    for (ir::ReadOp read : reads) {
      ir::EquationOp consumer = EnclosingEquation(read);
      one_consumer &= consumer == EnclosingEquation(reads.front());
      if (BodySize(consumer) + BodySize(producer) > kLargestBody) return false;
      evaluations += Evaluations(read);
      // A guarded read of more than a renaming becomes a branch, which does not vectorise in an inner loop.
      bool inner = read->getBlock() != &consumer.getBody().front();
      if (inner && !IsInside(read) && cost > 0) return false;
      // The factors of a contraction stay single reads.
      if (inner && MatchContraction(consumer) && cost > 0) return false;
    }
    // Several equations that read it meet in one kernel, where it is computed once.
    if (!one_consumer && cost > 1) return false;
    double points = Points(producer);
    return cost * (evaluations - points) <= kStoreAndLoad * points;
  }

  void Compose(ir::EquationOp producer, llvm::ArrayRef<ir::ReadOp> reads) {
    llvm::SetVector<mlir::Operation*> consumers;
    for (ir::ReadOp read : reads) consumers.insert(EnclosingEquation(read));
    // Equal reads are one, so that the body is copied once.
    mlir::IRRewriter rewriter(function_.getContext());
    for (mlir::Operation* consumer : consumers) MergeReads(mlir::cast<ir::EquationOp>(consumer), producer);
    SmallVector<ir::ReadOp> left;
    for (mlir::Operation* user : producer->getUsers()) left.push_back(mlir::cast<ir::ReadOp>(user));
    if (HasReduction(producer))
      TakeName(mlir::cast<ir::EquationOp>(consumers.front()), producer, left.front());
    for (mlir::Operation* consumer : consumers) NoteFused(mlir::cast<ir::EquationOp>(consumer), producer);
    ComposeReads(builder_, left);
    producer->erase();
    for (mlir::Operation* consumer : consumers) {
      mlir::DominanceInfo dominance(consumer);
      mlir::eliminateCommonSubExpressions(rewriter, dominance, consumer);
    }
  }

  // An epilogue runs under the name of what it follows: schedules, profiles and people look for the
  // reduction. Its indices get the producer's names where they stand for the same.
  void TakeName(ir::EquationOp consumer, ir::EquationOp producer, ir::ReadOp read) {
    mlir::StringAttr own = consumer.getPathAttr();
    if (mlir::StringAttr path = producer.getPathAttr()) {
      producer.removePathAttr();
      if (own) producer.setPathAttr(own);
      consumer.setPathAttr(path);
    }
    consumer->setLoc(producer.getLoc());
    SmallVector<mlir::Attribute> names(consumer.getNames().getValue());
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts()))
      if (auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript))
        names[index.getArgNumber()] = producer.getNames()[axis];
    llvm::SmallDenseSet<mlir::Attribute> distinct(names.begin(), names.end());
    if (distinct.size() == names.size()) consumer.setNamesAttr(builder_.getArrayAttr(names));
  }

  // Reads of `producer` at equal subscripts in the top block of the consumer's body.
  void MergeReads(ir::EquationOp consumer, ir::EquationOp producer) {
    SmallVector<ir::ReadOp> kept;
    for (mlir::Operation& op : llvm::make_early_inc_range(consumer.getBody().front())) {
      auto read = mlir::dyn_cast<ir::ReadOp>(op);
      if (!read || DefiningEquation(read.getTensor()) != producer || !IsInside(read)) continue;
      auto same = llvm::find_if(
          kept, [&](ir::ReadOp other) { return other.getSubscripts() == read.getSubscripts(); });
      if (same == kept.end()) {
        kept.push_back(read);
        continue;
      }
      read.getResult().replaceAllUsesWith(same->getResult());
      read->erase();
    }
  }

  mlir::func::FuncOp function_;
  mlir::OpBuilder builder_;
};

struct ComposeEquationsPass : impl::ComposeEquationsBase<ComposeEquationsPass> {
  void runOnOperation() override { Composer(getOperation()).Run(); }
};

}  // namespace
}  // namespace weft::passes
