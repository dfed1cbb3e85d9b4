#include "passes/analysis/kernel_work.h"

#include "llvm/ADT/DenseMap.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"

namespace weft::passes {
namespace {

using mlir::Value;

// The numbers of a kernel whose run-time sizes are given.
class KernelSizes {
 public:
  KernelSizes(ir::KernelOp kernel, llvm::ArrayRef<int64_t> extents) : left_(extents) {
    mlir::Block& body = kernel.getBody().front();
    for (mlir::BlockArgument argument : body.getArguments())
      if (auto type = mlir::dyn_cast<mlir::RankedTensorType>(argument.getType())) AddTensor(type, argument);
    for (mlir::Type type : kernel.getFunctionType().getResults())
      AddTensor(mlir::cast<mlir::RankedTensorType>(type), nullptr);
    for (mlir::BlockArgument argument : body.getArguments())
      if (argument.getType().isIndex()) known_[argument] = IndexAttribute(argument, Next());
  }

  std::optional<double> bytes() const { return bytes_; }

  // What `size` is, if the sizes that are given decide it.
  std::optional<int64_t> NumberOf(mlir::OpFoldResult size) {
    if (auto value = mlir::dyn_cast<Value>(size)) size = Known(value);
    return size ? mlir::getConstantIntValue(size) : std::nullopt;
  }

 private:
  std::optional<int64_t> Next() {
    if (left_.empty()) return std::nullopt;
    int64_t next = left_.front();
    left_ = left_.drop_front();
    return next;
  }

  void AddTensor(mlir::RankedTensorType type, Value argument) {
    std::optional<double> bytes = static_cast<double>(ElementBytes(type.getElementType()));
    for (auto [axis, size] : llvm::enumerate(type.getShape())) {
      std::optional<int64_t> number = mlir::ShapedType::isDynamic(size) ? Next() : std::optional(size);
      if (argument) axes_[{argument, static_cast<int64_t>(axis)}] = number;
      bytes = bytes && number ? std::optional(*bytes * static_cast<double>(*number)) : std::nullopt;
    }
    bytes_ = bytes_ && bytes ? std::optional(*bytes_ + *bytes) : std::nullopt;
  }

  std::optional<int64_t> SizeOfAxis(mlir::tensor::DimOp dim) {
    std::optional<int64_t> axis = dim.getConstantIndex();
    if (!axis) return std::nullopt;
    if (auto known = axes_.find({dim.getSource(), *axis}); known != axes_.end()) return known->second;
    ir::EquationOp equation = DefiningEquation(dim.getSource());
    return equation ? NumberOf(ExtentsOf(equation)[static_cast<size_t>(*axis)]) : std::nullopt;
  }

  static mlir::Attribute IndexAttribute(Value like, std::optional<int64_t> number) {
    return number ? mlir::IntegerAttr::get(like.getType(), *number) : mlir::Attribute();
  }

  // The constant that `value` is; null where it is none. Sizes may come from real numbers.
  mlir::Attribute Known(Value value) {
    mlir::Attribute constant;
    if (mlir::matchPattern(value, mlir::m_Constant(&constant))) return constant;
    if (auto known = known_.find(value); known != known_.end()) return known->second;
    mlir::Operation* op = value.getDefiningOp();
    if (auto dim = mlir::dyn_cast_or_null<mlir::tensor::DimOp>(op)) {
      constant = IndexAttribute(value, SizeOfAxis(dim));
    } else if (op && op->getNumRegions() == 0 && op->getNumResults() == 1 && mlir::isMemoryEffectFree(op)) {
      constant = Folded(op);
    }
    known_[value] = constant;
    return constant;
  }

  mlir::Attribute Folded(mlir::Operation* op) {
    llvm::SmallVector<mlir::Attribute> operands;
    for (Value operand : op->getOperands()) {
      operands.push_back(Known(operand));
      if (!operands.back()) return {};
    }
    llvm::SmallVector<mlir::OpFoldResult> results;
    if (mlir::failed(op->fold(operands, results)) || results.size() != 1) return {};
    return mlir::dyn_cast<mlir::Attribute>(results[0]);
  }

  llvm::ArrayRef<int64_t> left_;
  llvm::DenseMap<Value, mlir::Attribute> known_;
  llvm::DenseMap<std::pair<Value, int64_t>, std::optional<int64_t>> axes_;
  std::optional<double> bytes_ = 0.0;
};

// How often the body of `equation` is computed: its points, in each step of a loop around it.
std::optional<double> Evaluations(ir::EquationOp equation, KernelSizes& sizes) {
  double points = 1;
  llvm::SmallVector<mlir::OpFoldResult> extents = ExtentsOf(equation);
  for (auto loop = equation->getParentOfType<ir::LoopOp>(); loop; loop = loop->getParentOfType<ir::LoopOp>())
    llvm::append_range(extents, ExtentsOf(loop));
  for (mlir::OpFoldResult extent : extents) {
    std::optional<int64_t> number = sizes.NumberOf(extent);
    if (!number) return std::nullopt;
    points *= static_cast<double>(*number);
  }
  return points;
}

}  // namespace

std::optional<KernelWork> WorkOf(ir::KernelOp kernel, llvm::ArrayRef<int64_t> extents) {
  KernelSizes sizes(kernel, extents);
  if (!sizes.bytes()) return std::nullopt;
  KernelWork work = {0, *sizes.bytes()};
  bool known = true;
  kernel.walk([&](ir::EquationOp equation) {
    std::optional<double> evaluations = Evaluations(equation, sizes);
    known &= evaluations.has_value();
    if (!known) return;
    auto number = [&](Value value) { return sizes.NumberOf(value); };
    work.flops += FlopsPerPoint(equation, number) * *evaluations;
  });
  return known ? std::optional(work) : std::nullopt;
}

}  // namespace weft::passes
