#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/analysis/speculation.h"
#include "passes/simplify/passes.h"

// The rule. A sum s of products with weights (a contraction, a window per channel) runs through operations
// that are affine in it with coefficients of weights alone:
//   additions and subtractions of, multiplications and divisions by values that depend on weights, constants
//   and indices of the domain only.
// Then the result is a*s + b. If a depends only on indices that subscript the weights of the contraction
// bare, the weights w become w * a (computed when the program is created) and the chain becomes s + b.
// Multiplying w before the sum rounds differently from multiplying s after it; and where a is infinite or
// NaN, or a product of weights overflows, infinities appear in other places. This is the one exception to
// "reassociation only", and what every inference engine does to batch norm behind a convolution.

namespace weft::passes {

#define GEN_PASS_DEF_FOLDSCALING
#include "passes/simplify/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// Whether `value` depends on weights, constants and indices of the domain alone.
bool IsCoefficient(Value value, ir::EquationOp equation) {
  for (Value index : IndicesOf(value))
    if (mlir::cast<mlir::BlockArgument>(index).getOwner() != &equation.getBody().front()) return false;
  for (mlir::Operation* op : SliceOf(value, equation)) {
    bool load_time = true;
    op->walk([&](ir::ReadOp read) { load_time &= IsLoadTime(read.getTensor()); });
    if (!load_time) return false;
  }
  mlir::Operation* op = value.getDefiningOp();
  // A size that is known at run time only is no constant.
  return op && (equation->isProperAncestor(op) || mlir::isa<arith::ConstantOp>(op));
}

// a*s + b, built up along the chain. Null: 1 and 0.
struct Affine {
  Value scale, shift;
};

class Folder {
 public:
  Folder(ir::EquationOp equation, Contraction contraction)
      : equation_(equation), contraction_(std::move(contraction)), builder_(equation.getContext()) {}

  bool Run() {
    Value end = contraction_.reduce.getResult();
    SmallVector<mlir::Operation*> chain;
    while (mlir::Operation* next = AffineUser(end)) {
      chain.push_back(next);
      end = next->getResult(0);
    }
    bool scales = llvm::any_of(chain, llvm::IsaPred<arith::MulFOp, arith::DivFOp>);
    if (!scales || !contraction_.weights || !IsLoadTime(contraction_.weights.getTensor())) return false;
    if (!IsInside(contraction_.weights)) return false;
    if (contraction_.weight_factor.getType() != end.getType()) return false;
    if (!CoefficientsSubscriptWeights(chain)) return false;

    builder_.setInsertionPoint(chain.back());
    Affine affine = Accumulate(chain);
    ScaleWeights(affine.scale);
    Value sum = contraction_.reduce.getResult();
    Value result =
        affine.shift ? arith::AddFOp::create(builder_, chain.back()->getLoc(), sum, affine.shift) : sum;
    end.replaceAllUsesWith(result);
    for (mlir::Operation* op : llvm::reverse(chain)) op->erase();
    return true;
  }

 private:
  // The only user of `value`, if it is affine in it.
  mlir::Operation* AffineUser(Value value) {
    if (!value.hasOneUse()) return nullptr;
    mlir::Operation* user = *value.getUsers().begin();
    if (user->getBlock() != &equation_.getBody().front()) return nullptr;
    if (!mlir::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp>(user)) return nullptr;
    if (mlir::isa<arith::DivFOp>(user) && user->getOperand(0) != value) return nullptr;
    Value other = user->getOperand(user->getOperand(0) == value ? 1 : 0);
    return IsCoefficient(other, equation_) ? user : nullptr;
  }

  // Whether each index of each factor is a bare subscript of the weights.
  bool CoefficientsSubscriptWeights(llvm::ArrayRef<mlir::Operation*> chain) {
    for (mlir::Operation* op : chain) {
      if (!mlir::isa<arith::MulFOp, arith::DivFOp>(op)) continue;
      for (Value operand : op->getOperands()) {
        if (!IsCoefficient(operand, equation_)) continue;
        if (!IsSliceSpeculatable(operand, equation_)) return false;
        for (Value index : IndicesOf(operand))
          if (!RunsOverWeights(index)) return false;
      }
    }
    return true;
  }

  // Whether `index` subscripts some axis of the weights bare, and all of the axis.
  bool RunsOverWeights(Value index) {
    unsigned position = mlir::cast<mlir::BlockArgument>(index).getArgNumber();
    for (auto [axis, subscript] : llvm::enumerate(contraction_.weights.getSubscripts()))
      if (subscript == index &&
          AxisHasSize(contraction_.weights.getTensor(), axis, ExtentsOf(equation_)[position]))
        return true;
    return false;
  }

  Affine Accumulate(llvm::ArrayRef<mlir::Operation*> chain) {
    Affine affine;
    Value value = contraction_.reduce.getResult();
    for (mlir::Operation* op : chain) {
      mlir::Location location = op->getLoc();
      bool first = op->getOperand(0) == value;
      Value other = op->getOperand(first ? 1 : 0);
      auto negate = [&](Value of) -> Value { return arith::NegFOp::create(builder_, location, of); };
      if (mlir::isa<arith::AddFOp>(op)) {
        affine.shift = affine.shift ? arith::AddFOp::create(builder_, location, affine.shift, other) : other;
      } else if (mlir::isa<arith::SubFOp>(op) && first) {
        affine.shift =
            affine.shift ? arith::SubFOp::create(builder_, location, affine.shift, other) : negate(other);
      } else if (mlir::isa<arith::SubFOp>(op)) {
        affine.shift = affine.shift ? arith::SubFOp::create(builder_, location, other, affine.shift) : other;
        Value one = One(location, other.getType());
        affine.scale = negate(affine.scale ? affine.scale : one);
      } else if (mlir::isa<arith::MulFOp>(op)) {
        if (affine.shift) affine.shift = arith::MulFOp::create(builder_, location, affine.shift, other);
        affine.scale = affine.scale ? arith::MulFOp::create(builder_, location, affine.scale, other) : other;
      } else {
        if (affine.shift) affine.shift = arith::DivFOp::create(builder_, location, affine.shift, other);
        Value scale = affine.scale ? affine.scale : One(location, other.getType());
        affine.scale = arith::DivFOp::create(builder_, location, scale, other);
      }
      value = op->getResult(0);
    }
    return affine;
  }

  Value One(mlir::Location location, mlir::Type type) {
    return arith::ConstantOp::create(builder_, location, builder_.getFloatAttr(type, 1.0));
  }

  // The contraction reads weights * scale instead of weights, from an equation over the weights' axes.
  void ScaleWeights(Value scale) {
    ir::ReadOp read = contraction_.weights;
    Value weights = read.getTensor();
    auto type = mlir::cast<mlir::RankedTensorType>(weights.getType());
    mlir::OpBuilder outside(equation_);
    SmallVector<mlir::OpFoldResult> extents;
    SmallVector<mlir::Attribute> names;
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      extents.push_back(SizeOf(outside, read.getLoc(), weights, axis));
      names.push_back(outside.getStringAttr("i" + std::to_string(axis)));
    }
    llvm::SetVector<mlir::Operation*> slice = SliceOf(scale, equation_);
    auto scaled = CreateEquation(
        outside, PartOf(LabelOf(equation_), "scaled"), extents, names, contraction_.weight_factor.getType(),
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          mlir::IRMapping mapping;
          for (auto [subscript, index] : llvm::zip_equal(read.getSubscripts(), indices))
            mapping.map(subscript, index);
          for (mlir::Operation* op : slice) body.clone(*op, mapping);
          Value weight = CreateRead(body, read.getLoc(), weights, indices);
          mlir::IRMapping widened;
          widened.map(read.getResult(), weight);
          SmallVector<mlir::Operation*> casts;  // between the read and the factor
          for (Value value = contraction_.weight_factor; value != read.getResult();
               value = value.getDefiningOp()->getOperand(0))
            casts.push_back(value.getDefiningOp());
          for (mlir::Operation* cast : llvm::reverse(casts)) body.clone(*cast, widened);
          Value factor = widened.lookup(contraction_.weight_factor);
          return {
              arith::MulFOp::create(body, read.getLoc(), factor, mapping.lookupOrDefault(scale)).getResult()};
        });
    mlir::OpBuilder inside(read);
    Value replaced = CreateRead(inside, read.getLoc(), scaled->getResult(0), read.getSubscripts());
    contraction_.weight_factor.replaceAllUsesWith(replaced);
  }

  ir::EquationOp equation_;
  Contraction contraction_;
  mlir::OpBuilder builder_;
};

struct FoldScalingPass : impl::FoldScalingBase<FoldScalingPass> {
  void runOnOperation() override {
    SmallVector<ir::EquationOp> equations(getOperation().getBody().front().getOps<ir::EquationOp>());
    for (ir::EquationOp equation : equations) {
      if (IsLoadTime(equation->getResult(0))) continue;
      if (auto contraction = MatchSumOfProducts(equation)) Folder(equation, *contraction).Run();
    }
  }
};

}  // namespace
}  // namespace weft::passes
