#include "passes/winograd/convolution.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {
namespace {

using mlir::BlockArgument;
using mlir::SmallVector;
using mlir::Value;

constexpr int64_t kTaps = 3;

BlockArgument IndexIn(mlir::Block& block, Value value) {
  auto index = mlir::dyn_cast<BlockArgument>(value);
  return index && index.getOwner() == &block ? index : BlockArgument();
}

bool IsConstant(Value subscript) { return LinearFormOf(subscript).terms.empty(); }

// domain + tap + constant.
struct Sliding {
  BlockArgument place, tap;
  int64_t offset = 0;
};

std::optional<Sliding> MatchSliding(Value subscript, mlir::Block& domain, mlir::Block& reduction) {
  LinearForm form = LinearFormOf(subscript);
  if (form.terms.size() != 2) return std::nullopt;
  Sliding found{{}, {}, form.constant};
  for (const LinearForm::Term& term : form.terms) {
    if (term.coefficient != 1) return std::nullopt;
    if (BlockArgument index = IndexIn(domain, term.atom)) found.place = index;
    if (BlockArgument index = IndexIn(reduction, term.atom)) found.tap = index;
  }
  return found.place && found.tap ? std::optional(found) : std::nullopt;
}

// The steps of a reduction's index that begins at 0; -1: others.
int64_t StepsOf(BlockArgument index) {
  auto reduce = mlir::cast<ir::ReduceOp>(index.getOwner()->getParentOp());
  auto lower = mlir::getConstantIntValue(reduce.getLower()[index.getArgNumber()]);
  auto upper = mlir::getConstantIntValue(reduce.getUpper()[index.getArgNumber()]);
  return lower == 0 && upper ? *upper : -1;
}

class Matcher {
 public:
  explicit Matcher(ir::EquationOp equation) : equation_(equation), domain_(equation.getBody().front()) {}

  std::optional<Convolution> Run(llvm::StringRef& why) {
    auto contraction = MatchContraction(equation_);
    if (!contraction || !contraction->data || !contraction->weights) return std::nullopt;
    found_.contraction = *contraction;
    if (!MatchData()) return std::nullopt;
    why = WhyNot();
    return why.empty() ? std::optional(found_) : std::nullopt;
  }

 private:
  // Two axes that slide over places, and besides them channels and places that stay.
  bool MatchData() {
    mlir::Block& sum = found_.contraction.reduce.getBody().front();
    int slides = 0;
    for (auto [axis, subscript] : llvm::enumerate(found_.contraction.data.getSubscripts())) {
      auto sliding = MatchSliding(subscript, domain_, sum);
      if (sliding && ++slides == 1) {
        found_.row = sliding->place, found_.row_tap = sliding->tap;
        found_.row_axis = axis, found_.row_offset = sliding->offset;
      } else if (sliding) {
        found_.column = sliding->place, found_.column_tap = sliding->tap;
        found_.column_axis = axis, found_.column_offset = sliding->offset;
      } else if (BlockArgument index = IndexIn(sum, subscript)) {
        if (found_.channel) return false;
        found_.channel = index;
      } else if (BlockArgument index = IndexIn(domain_, subscript)) {
        if (llvm::is_contained(found_.others, index)) return false;
        found_.others.push_back(index);
      } else if (!IsConstant(subscript)) {
        return false;
      }
    }
    return slides == 2 && found_.channel && sum.getNumArguments() == 3 && found_.row != found_.column &&
           found_.row_tap != found_.column_tap && found_.channel != found_.row_tap &&
           found_.channel != found_.column_tap && StepsOf(found_.row_tap) == kTaps &&
           StepsOf(found_.column_tap) == kTaps;
  }

  llvm::StringRef WhyNot() {
    Contraction& contraction = found_.contraction;
    if (!mlir::cast<mlir::RankedTensorType>(equation_->getResult(0).getType()).getElementType().isF32() ||
        contraction.data_factor != contraction.data.getResult() ||
        contraction.weight_factor != contraction.weights.getResult() || !contraction.data.getType().isF32() ||
        !contraction.reduce.getType().isF32())
      return "its numbers are not f32";
    if (!IsLoadTime(contraction.weights.getTensor()) || !IsInside(contraction.weights))
      return "its weights are not known when a program is created";
    if (!MatchWeights()) return "its filters are more than channels and taps";
    if (Value fill = contraction.data.getFill(); fill && !fill.getDefiningOp<mlir::arith::ConstantOp>())
      return "what lies outside of its input is no constant";
    return "";
  }

  // k, c, r and s, each once over its axis; every index of the domain has a part of its own.
  bool MatchWeights() {
    auto type = mlir::cast<mlir::RankedTensorType>(found_.contraction.weights.getTensor().getType());
    SmallVector<Value> seen;
    for (auto [axis, subscript] : llvm::enumerate(found_.contraction.weights.getSubscripts())) {
      if (type.getDimSize(axis) == 1 && IsConstant(subscript)) continue;
      if (llvm::is_contained(seen, subscript)) return false;
      seen.push_back(subscript);
      if (BlockArgument index = IndexIn(domain_, subscript)) {
        if (found_.filter) return false;
        found_.filter = index;
        found_.filters = equation_.getStaticExtents()[index.getArgNumber()];
      } else if (!llvm::is_contained(std::array<Value, 3>{found_.channel, found_.row_tap, found_.column_tap},
                                     subscript)) {
        return false;
      }
    }
    found_.channels = StepsOf(found_.channel);
    if (seen.size() != 4 || !found_.filter || found_.channels < 1 || found_.filters < 1) return false;
    // Unit axes of the result may subscript nothing.
    for (BlockArgument index : domain_.getArguments()) {
      bool is_known = index == found_.row || index == found_.column || index == found_.filter ||
                      llvm::is_contained(found_.others, index);
      if (!is_known && !RangeOf(index).IsConstant()) return false;
    }
    return llvm::all_of(found_.others, [&](BlockArgument index) {
      return index != found_.row && index != found_.column && index != found_.filter;
    });
  }

  ir::EquationOp equation_;
  mlir::Block& domain_;
  Convolution found_;
};

// ---- Time

constexpr double kUnknownSize = 64;  // of sizes that are not numbers
// What matrix products and direct convolutions reach of two multiply-adds of whole vectors a cycle.
constexpr double kDirectShare = 0.8, kProductsShare = 0.75;
// Loads, stores and arithmetic of the transformations, for a vector of what they make of the input, and of
// what they read of the products.
constexpr double kInputCycles = 5, kOutputCycles = 3;
// From caches that cores share, and of weights, which few rows use, from memory.
constexpr double kBytesPerCycle = 8, kWeightBytesPerCycle = 2.5;

double Extent(ir::EquationOp equation, BlockArgument index) {
  int64_t extent = equation.getStaticExtents()[index.getArgNumber()];
  return mlir::ShapedType::isDynamic(extent) ? kUnknownSize : static_cast<double>(extent);
}

double Images(ir::EquationOp equation, const Convolution& convolution) {
  double images = 1;
  for (BlockArgument index : convolution.others) images *= Extent(equation, index);
  return images;
}

double FmasPerCycle(const TargetDescription& target) {
  return 2.0 * static_cast<double>(target.vector_bytes) / 4;
}

// Weights are read while other weights are multiplied.
double WithWeights(double cycles, double bytes) { return std::max(cycles, bytes / kWeightBytesPerCycle); }

}  // namespace

std::optional<Convolution> MatchConvolution(ir::EquationOp equation, llvm::StringRef* why) {
  return Matcher(equation).Run(*why);
}

double DirectCycles(ir::EquationOp equation, const Convolution& convolution,
                    const TargetDescription& target) {
  double weights = static_cast<double>(kTaps * kTaps * convolution.channels * convolution.filters);
  double places = Images(equation, convolution) * Extent(equation, convolution.row) *
                  Extent(equation, convolution.column);
  return WithWeights(weights * places / FmasPerCycle(target) / kDirectShare, 4 * weights);
}

double FilteringCycles(ir::EquationOp equation, const Convolution& convolution,
                       const MinimalFiltering& filtering, const TargetDescription& target) {
  auto outputs = static_cast<double>(filtering.outputs);
  double tiles = Images(equation, convolution) * std::ceil(Extent(equation, convolution.row) / outputs) *
                 std::ceil(Extent(equation, convolution.column) / outputs);
  auto points = static_cast<double>(filtering.Products() * filtering.Products());
  auto channels = static_cast<double>(convolution.channels),
       filters = static_cast<double>(convolution.filters);
  double products = points * channels * filters * tiles / FmasPerCycle(target) / kProductsShare;
  double vectors = points * tiles / (static_cast<double>(target.vector_bytes) / 4);
  double transforms = vectors * (kInputCycles * channels + kOutputCycles * filters);
  // What is written is read into the cache before, and again by the one who uses it.
  double bytes = 4 * points * tiles * (channels + filters);
  double traffic = bytes > static_cast<double>(target.l2_bytes) / 2 ? 3 * bytes / kBytesPerCycle : 0;
  return WithWeights(products, 4 * points * channels * filters) + transforms + traffic;
}

}  // namespace weft::passes
