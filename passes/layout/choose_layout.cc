#include <map>

#include "compiler/ir/choice.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/layout/passes.h"

// Which axis of a tensor is innermost. Axes that mean the same (an index runs over both) form a class;
// contractions and windows vote for classes, weighted by their work: the axis of their result that their
// weights have, and the axis that they sum over together with their weights. Every tensor takes its axis with
// most votes to the end, so pointwise equations between two convolutions follow them. Tensors that are
// returned or viewed keep their order: there the kernel that makes them writes it, as the first one reads the
// inputs' order, unless a contraction is so much work that its operand and its result are better copied.
// Equations that sum over places given by data vote too: for the axis beside those places, along which places
// and weights are the same. Inputs that such an equation reads often are copied in that order.

namespace weft::passes {

#define GEN_PASS_DEF_CHOOSELAYOUT
#include "passes/layout/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Stands for sizes that are not numbers.
constexpr double kUnknownSize = 64;
// Operations for each element of an input that pay for a copy of it in another order.
constexpr double kReadsPerCopy = 16;
// Operations for each element of a result that pay for copying it into another order.
constexpr double kOperationsPerCopy = 48;
// Fewer are read one by one as well from where they lie apart, and fill no vector.
constexpr int64_t kChannelsForCopy = 8;

using Axis = std::pair<void*, int64_t>;  // of a tensor

Axis AxisOf(Value tensor, int64_t axis) { return {tensor.getAsOpaquePointer(), axis}; }

double Points(llvm::ArrayRef<int64_t> extents) {
  double points = 1;
  for (int64_t extent : extents)
    points *= mlir::ShapedType::isDynamic(extent) ? kUnknownSize : static_cast<double>(extent);
  return points;
}

double Work(ir::EquationOp equation) {
  SmallVector<int64_t> extents(equation.getStaticExtents());
  for (auto [size, extent] : llvm::zip_equal(extents, ExtentsOf(equation))) {
    auto value = mlir::dyn_cast<Value>(extent);
    auto found = value ? value.getDefiningOp<ir::FoundOp>() : nullptr;
    auto about = found ? found->getAttrOfType<mlir::IntegerAttr>(ir::kAbout) : nullptr;
    if (about) size = about.getInt();
  }
  return Points(extents) * CostPerPoint(equation, kUnknownSize);
}

// The axis of the tensor that an index of the equation walks in a read that is summed over and whose places
// along other axes are read from data. An axis of unknown size is one only beside a map of two axes, or where
// it is innermost on both sides: else it may be a batch.
std::optional<int64_t> ChannelOfGather(ir::ReadOp read, ir::EquationOp equation) {
  if (!read->getParentOfType<ir::ReduceOp>()) return std::nullopt;
  std::optional<int64_t> channel;
  int gathered = 0;
  for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
    auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
    if (index && index.getOwner() == &equation.getBody().front()) channel = axis;
    gathered += DependsOnRead(subscript, equation);
  }
  if (!channel || gathered == 0) return std::nullopt;
  auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
  auto index = mlir::cast<mlir::BlockArgument>(read.getSubscripts()[*channel]);
  bool innermost = *channel + 1 == type.getRank() && index.getArgNumber() + 1 == equation.getNames().size();
  bool many = type.isDynamicDim(*channel) ? gathered >= 2 || innermost : type.getDimSize(*channel) >= 4;
  return many ? channel : std::nullopt;
}

// Reads the same element of `tensor`, whose axes are those of the one read now in this order: new position ->
// old one.
void ReadInOrder(ir::ReadOp read, Value tensor, llvm::ArrayRef<int64_t> order) {
  mlir::OpBuilder at(read);
  SmallVector<Value> subscripts;
  SmallVector<ir::Outside> outside;
  for (int64_t old : order) {
    subscripts.push_back(read.getSubscripts()[old]);
    outside.push_back(read.getOutsideAt(old));
  }
  Value moved = CreateRead(at, read.getLoc(), tensor, subscripts, outside, read.getFill()).getResult();
  read.getResult().replaceAllUsesWith(moved);
  read->erase();
}

class LayoutChoice {
 public:
  explicit LayoutChoice(mlir::func::FuncOp function) : function_(function) {}

  void Run() {
    SmallVector<ir::EquationOp> equations(function_.getBody().front().getOps<ir::EquationOp>());
    for (ir::EquationOp equation : equations) RelateAxes(equation);
    for (ir::EquationOp equation : equations) Vote(equation);
    for (ir::EquationOp equation : equations) VoteForGathers(equation);
    for (ir::EquationOp equation : equations) CopyForSum(equation);
    for (ir::EquationOp equation : equations) {
      std::optional<int64_t> axis = InnermostAxis(equation);
      if (axis && MayMove(equation)) MoveInnermost(equation, *axis);
    }
  }

 private:
  // An index that subscripts an axis bare makes it one class with the result's own axis. Contractions part
  // classes: which axis their result wants innermost is their own affair, and what a tensor wants is decided
  // by those that make and read it, not by votes from the far end of a network.
  void RelateAxes(ir::EquationOp equation) {
    auto contraction = MatchContraction(equation);
    equation.getBody().walk([&](ir::ReadOp read) {
      for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
        auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
        if (!index || index.getOwner() != &equation.getBody().front()) continue;
        if (contraction && !contraction->batch.contains(index)) continue;
        for (Value result : equation->getResults())
          classes_.unionSets(AxisOf(result, index.getArgNumber()), AxisOf(read.getTensor(), axis));
      }
    });
  }

  void Vote(ir::EquationOp equation) {
    auto sum = MatchSumOfProducts(equation);
    if (!sum || !sum->weights || !sum->data) return;
    double work = Work(equation);
    // The result's axis that the weights have: columns of a contraction, channels of a window per channel.
    llvm::SetVector<Value>& channels = sum->columns.empty() ? sum->batch : sum->columns;
    if (!channels.empty()) {
      auto channel = DensestOf(channels, equation);
      AddVotes(AxisOf(equation->getResult(0), channel.getArgNumber()), work);
    }
    // The data's axis that is summed over together with the weights.
    for (auto [axis, subscript] : llvm::enumerate(sum->data.getSubscripts())) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
      bool summed = index && index.getOwner() == &sum->reduce.getBody().front();
      if (summed && llvm::is_contained(sum->weights.getSubscripts(), subscript))
        AddVotes(AxisOf(sum->data.getTensor(), axis), work);
    }
  }

  void VoteForGathers(ir::EquationOp equation) {
    if (equation->getNumResults() != 1) return;
    SmallVector<ir::ReadOp> reads;
    equation.getBody().walk([&](ir::ReadOp read) { reads.push_back(read); });
    for (ir::ReadOp read : reads) {
      std::optional<int64_t> channel = ChannelOfGather(read, equation);
      if (!channel) continue;
      auto index = mlir::cast<mlir::BlockArgument>(read.getSubscripts()[*channel]);
      AddVotes(AxisOf(equation->getResult(0), index.getArgNumber()), Work(equation));
      AddVotes(AxisOf(read.getTensor(), *channel), Work(equation));
      CopyInput(read, *channel, equation);
    }
  }

  // A sum that cannot go along vectors reads an input from a copy whose last axis are the channels, if its
  // own result is made with its channels last.
  void CopyForSum(ir::EquationOp equation) {
    if (!MayMove(equation)) return;
    auto sum = MatchContraction(equation);
    if (!sum || !sum->data || !sum->weights || !LacksVectors(*sum, equation)) return;
    for (auto [axis, subscript] : llvm::enumerate(sum->data.getSubscripts())) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
      bool summed = index && index.getOwner() == &sum->reduce.getBody().front();
      auto type = mlir::cast<mlir::RankedTensorType>(sum->data.getTensor().getType());
      if (!summed || !llvm::is_contained(sum->weights.getSubscripts(), subscript)) continue;
      if (type.getDimSize(axis) >= kChannelsForCopy) return CopyInput(sum->data, axis, equation);
    }
  }

  // Reads an input from a copy whose last axis is `channel`, if every element of it is read several times.
  void CopyInput(ir::ReadOp read, int64_t channel, ir::EquationOp equation) {
    Value input = read.getTensor();
    auto type = mlir::cast<mlir::RankedTensorType>(input.getType());
    if (!mlir::isa<mlir::BlockArgument>(input) || channel + 1 == type.getRank()) return;
    if (Work(equation) < kReadsPerCopy * Points(type.getShape())) return;
    SmallVector<int64_t> order;  // new position -> old one
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (axis != channel) order.push_back(axis);
    order.push_back(channel);
    Value& copy = copies_[AxisOf(input, channel)];
    if (!copy) {
      mlir::OpBuilder builder(&function_.getBody().front(), function_.getBody().front().begin());
      copy = Permuted(builder, input, order, equation);
    }
    ReadInOrder(read, copy, order);
  }

  // A copy of the permuted result with the axes of `old`.
  Value InOldOrder(ir::EquationOp permuted, llvm::ArrayRef<int64_t> order, ir::EquationOp old) {
    SmallVector<int64_t> back(order.size());
    for (auto [position, axis] : llvm::enumerate(order)) back[axis] = static_cast<int64_t>(position);
    mlir::OpBuilder builder(old);
    return Permuted(builder, permuted->getResult(0), back, old);
  }

  static Value Permuted(mlir::OpBuilder& builder, Value input, llvm::ArrayRef<int64_t> order,
                        ir::EquationOp reader) {
    SmallVector<mlir::OpFoldResult> extents;
    SmallVector<mlir::Attribute> names;
    for (int64_t old : order) {
      extents.push_back(SizeOf(builder, reader.getLoc(), input, old));
      names.push_back(builder.getStringAttr(llvm::Twine("i") + llvm::Twine(old)));
    }
    auto element = mlir::cast<mlir::RankedTensorType>(input.getType()).getElementType();
    auto copy = CreateEquation(builder, PartOf(LabelOf(reader), "permuted"), extents, names, element,
                               [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                                 SmallVector<Value> subscripts(order.size());
                                 for (auto [position, old] : llvm::enumerate(order))
                                   subscripts[old] = indices[position];
                                 return {CreateRead(body, reader.getLoc(), input, subscripts).getResult()};
                               });
    copy->setAttr("relayout", builder.getUnitAttr());
    return copy->getResult(0);
  }

  void AddVotes(Axis axis, double votes) { votes_.emplace_back(axis, votes); }

  double VotesFor(Axis axis) {
    double votes = 0;
    for (auto& [voted, weight] : votes_)
      if (voted == axis || classes_.isEquivalent(voted, axis)) votes += weight;
    return votes;
  }

  // The axis to move to the end, or nothing where the order stays.
  std::optional<int64_t> InnermostAxis(ir::EquationOp equation) {
    if (equation->getNumResults() != 1) return std::nullopt;
    llvm::ArrayRef<int64_t> extents = equation.getStaticExtents();
    int64_t best = -1;
    double most = 0;
    for (int64_t axis = 0; axis < static_cast<int64_t>(extents.size()); ++axis) {
      if (extents[axis] == 1) continue;
      double votes = VotesFor(AxisOf(equation->getResult(0), axis));
      if (votes <= most) continue;
      most = votes;
      best = axis;
    }
    if (best < 0) return std::nullopt;
    bool is_last = llvm::all_of(extents.drop_front(best + 1), [](int64_t extent) { return extent == 1; });
    return is_last ? std::nullopt : std::optional(best);
  }

  // Whether neighbours along the last axis of a contraction's result read no vectors of data: what the sum
  // goes along lies densely, a window makes longer steps, or the vectors would begin anywhere.
  static bool LacksVectors(Contraction& sum, ir::EquationOp equation) {
    mlir::Block& summed = sum.reduce.getBody().front();
    Value dense = sum.data.getSubscripts().back(), last = equation.getBody().getArguments().back();
    auto is_summed = [&](Value atom) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(atom);
      return index && index.getOwner() == &summed;
    };
    if (is_summed(dense)) return true;
    int64_t columns = equation.getStaticExtents()[DensestOf(sum.columns, equation).getArgNumber()];
    if (!mlir::ShapedType::isDynamic(columns) && columns < kChannelsForCopy) return false;
    return llvm::any_of(LinearFormOf(dense).terms, [&](const LinearForm::Term& term) {
      return is_summed(term.atom) || (term.atom == last && term.coefficient != 1);
    });
  }

  // Whether it is so much work that its result is better copied into the order in which it is returned.
  static bool PaysForCopy(ir::EquationOp equation) {
    if (equation->hasAttr(kStandsAlone)) return true;
    auto sum = MatchContraction(equation);
    return sum && sum->data && CostPerPoint(equation, kUnknownSize) >= kOperationsPerCopy &&
           LacksVectors(*sum, equation);
  }

  static bool MayMove(ir::EquationOp equation) {
    return OnlyReads(equation->getResult(0)) || PaysForCopy(equation);
  }

  void MoveInnermost(ir::EquationOp equation, int64_t axis) {
    SmallVector<int64_t> order;  // new position -> old one
    for (int64_t old = 0; old < static_cast<int64_t>(equation.getNames().size()); ++old)
      if (old != axis) order.push_back(old);
    order.push_back(axis);
    SmallVector<mlir::OpFoldResult> extents, old_extents = ExtentsOf(equation);
    SmallVector<mlir::Attribute> names;
    for (int64_t old : order) {
      extents.push_back(old_extents[old]);
      names.push_back(equation.getNames()[old]);
    }
    mlir::OpBuilder builder(equation);
    Value old_result = equation->getResult(0);
    auto element = mlir::cast<mlir::RankedTensorType>(old_result.getType()).getElementType();
    auto permuted =
        CreateEquation(builder, LabelOf(equation), extents, names, element,
                       [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                         mlir::IRMapping mapping;
                         for (auto [position, old] : llvm::enumerate(order))
                           mapping.map(equation.getBody().getArgument(old), indices[position]);
                         mlir::Block& old_body = equation.getBody().front();
                         for (mlir::Operation& op : old_body.without_terminator()) body.clone(op, mapping);
                         return {mapping.lookupOrDefault(YieldedValue(equation, 0))};
                       });
    for (llvm::StringRef kept : {llvm::StringRef("fused"), llvm::StringRef(kStandsAlone)})
      if (mlir::Attribute value = equation->getAttr(kept)) permuted->setAttr(kept, value);
    SmallVector<ir::ReadOp> reads;
    for (mlir::Operation* user : old_result.getUsers())
      if (auto read = mlir::dyn_cast<ir::ReadOp>(user)) reads.push_back(read);
    for (ir::ReadOp read : reads) ReadInOrder(read, permuted->getResult(0), order);
    if (!old_result.use_empty()) old_result.replaceAllUsesWith(InOldOrder(permuted, order, equation));
    equation->erase();
  }

  mlir::func::FuncOp function_;
  llvm::EquivalenceClasses<Axis> classes_;
  std::vector<std::pair<Axis, double>> votes_;
  std::map<Axis, Value> copies_;
};

struct ChooseLayoutPass : impl::ChooseLayoutBase<ChooseLayoutPass> {
  void runOnOperation() override { LayoutChoice(getOperation()).Run(); }
};

}  // namespace
}  // namespace weft::passes
