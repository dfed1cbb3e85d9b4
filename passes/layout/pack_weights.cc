#include "compiler/ir/operand_name.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/packing.h"
#include "passes/layout/packed_copy.h"
#include "passes/layout/passes.h"
#include "passes/layout/resolve_packing.h"

namespace weft::passes {

#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/layout/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// How the subscripts of a contraction's weights split: each axis is summed over, or says which weights by
// indices of the domain, the column among them: `w[k*512 + d, i]`.
struct WeightAxes {
  llvm::SetVector<Value> outer;  // those indices without the column: gates, groups
  SmallVector<int64_t> taps, channels;
};

bool IsBareIndexOf(Value subscript, mlir::Block& block) {
  auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
  return index && index.getOwner() == &block;
}

std::optional<WeightAxes> SplitAxes(Contraction& contraction, Value column) {
  WeightAxes axes;
  llvm::SmallDenseSet<Value> seen;
  mlir::Block& sum = contraction.reduce.getBody().front();
  auto type = mlir::cast<mlir::RankedTensorType>(contraction.weights.getTensor().getType());
  for (auto [axis, subscript] : llvm::enumerate(contraction.weights.getSubscripts())) {
    if (IsBareIndexOf(subscript, sum) && seen.insert(subscript).second) {
      // A channel is summed over as it is; a tap shifts the window.
      bool bare = llvm::is_contained(contraction.data.getSubscripts(), subscript);
      (bare ? axes.channels : axes.taps).push_back(axis);
      continue;
    }
    if (type.getDimSize(axis) == 1) continue;
    for (const LinearForm::Term& term : LinearFormOf(subscript).terms) {
      if (term.atom == column) {
        if (term.coefficient != 1 || !seen.insert(column).second) return std::nullopt;
      } else if (contraction.columns.contains(term.atom) || contraction.batch.contains(term.atom)) {
        axes.outer.insert(term.atom);
      } else {
        return std::nullopt;
      }
    }
  }
  return seen.contains(column) ? std::optional(axes) : std::nullopt;
}

class Packer {
 public:
  Packer(ir::EquationOp equation, const TargetDescription& target, PathEntries& done, PathEntries& problems)
      : equation_(equation), target_(target), outside_(equation), done_(done), problems_(problems) {}

  void Run() {
    for (const Packing& packing : Wanted()) PackAs(packing);
    if (auto contraction = MatchContraction(equation_)) {
      if (Block(*contraction)) return;
    }
    SmallVector<ir::ReadOp> reads;
    equation_.getBody().walk([&](ir::ReadOp read) { reads.push_back(read); });
    Value lanes = IndexOfLanes();
    for (ir::ReadOp read : reads)
      if (lanes && !packed_.contains(read)) PermuteToLoops(read, lanes);
  }

 private:
  // What schedules say.
  std::vector<Packing> Wanted() {
    auto module = equation_->getParentOfType<mlir::ModuleOp>();
    if (!module || !equation_.getPath()) return {};
    return PackingsOf(module, kPacking, *equation_.getPath());
  }

  void PackAs(const Packing& packing) {
    SmallVector<ir::ReadOp> reads = ReadsOf(equation_, packing.operand);
    if (reads.empty()) {
      return Note({packing.operand, "`" + equation_.getPath()->str() + "` reads no `" + packing.operand + "`",
                   -1, packing.operand, OperandsOf(equation_)});
    }
    for (ir::ReadOp read : reads) {
      auto resolved = ResolvePacking(read, packing);
      if (auto* problem = std::get_if<PackingProblem>(&resolved)) return Note(*problem);
    }
    // What is done for one may change the indices of the sum around another.
    for (ir::ReadOp read : reads) PackAs(read, std::get<0>(ResolvePacking(read, packing)));
  }

  void PackAs(ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes) {
    Note(read, axes);
    if (IsAsItLies(read, axes)) {
      packed_.insert(read);
      return;
    }
    auto contraction = MatchContraction(equation_);
    bool of_weights = contraction && contraction->data && contraction->weights == read;
    bool blocked = llvm::any_of(axes, [](const PackedAxis& axis) { return !axis.IsWhole(); });
    packed_.insert(ReadPackedCopy(equation_, read, axes, blocked ? "packed" : "permuted"));
    if (of_weights) MarkBlocks(*contraction, axes);
  }

  // Where the columns of a contraction lie in blocks, side by side in each, its schedule relies on that.
  void MarkBlocks(Contraction& contraction, llvm::ArrayRef<PackedAxis> axes) {
    const PackedAxis& lane = axes.back();
    if (lane.divisor != 1 || lane.modulus == 0 || !contraction.columns.contains(lane.index)) return;
    bool in_blocks = llvm::any_of(axes, [&](const PackedAxis& axis) {
      return axis.index == lane.index && axis.divisor == lane.modulus && axis.modulus == 0;
    });
    if (!in_blocks) return;
    SumChannelsInnermost(contraction);
    equation_->setAttr(
        "packed",
        outside_.getDictionaryAttr({
            outside_.getNamedAttr("axis", outside_.getI64IntegerAttr(
                                              mlir::cast<mlir::BlockArgument>(lane.index).getArgNumber())),
            outside_.getNamedAttr("block", outside_.getI64IntegerAttr(lane.modulus)),
        }));
  }

  // Keeps with the function what was done, if the text has words for it.
  void Note(ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes) {
    llvm::StringRef operand = ir::OperandNameOf(read);
    if (operand.empty() || !equation_.getPath()) return;
    done_.Add(*equation_.getPath(), ToAttribute(equation_.getContext(), AsWritten(operand, read, axes)));
  }

  void Note(const PackingProblem& problem) {
    problems_.Add(*equation_.getPath(), ToAttribute(equation_.getContext(), problem));
  }

  bool Block(Contraction& contraction) {
    if (!contraction.data || !contraction.weights || packed_.contains(contraction.weights)) return false;
    if (!IsLoadTime(contraction.weights.getTensor()) || !IsInside(contraction.weights)) return false;
    auto column = DensestOf(contraction.columns, equation_);
    std::optional<WeightAxes> axes = SplitAxes(contraction, column);
    if (!axes || !ReadsEachOnce(contraction, *axes, column)) return false;
    int64_t columns = Extent(column);
    auto type = mlir::cast<mlir::RankedTensorType>(contraction.weights.getTensor().getType());
    int64_t depth = 1;
    for (int64_t axis : llvm::concat<int64_t>(axes->taps, axes->channels))
      depth *= std::max<int64_t>(type.getDimSize(axis), 0);
    int64_t block =
        PackedBlock(target_, TileableRows(contraction), columns, depth, ElementBytes(type.getElementType()));
    if (block == 0 || columns == 0) return false;
    PackAs(contraction.weights, BlockedAxes(contraction, *axes, column, block));
    return true;
  }

  // [outer...][ceil(columns / block)][taps...][channels...][block].
  SmallVector<PackedAxis> BlockedAxes(Contraction& contraction, const WeightAxes& axes, Value column,
                                      int64_t block) {
    SmallVector<PackedAxis> order;
    for (auto [position, index] : llvm::enumerate(axes.outer))
      order.push_back({index, Extent(index), 1, 0, "outer" + std::to_string(position)});
    order.push_back({column, Extent(column), block, 0, "block"});
    auto type = mlir::cast<mlir::RankedTensorType>(contraction.weights.getTensor().getType());
    SmallVector<int64_t> summed(axes.taps);
    llvm::append_range(summed, axes.channels);
    for (int64_t axis : summed)
      order.push_back({contraction.weights.getSubscripts()[axis], type.getDimSize(axis), 1, 0,
                       "i" + std::to_string(axis)});
    order.push_back({column, Extent(column), 1, block, "lane"});
    return order;
  }

  int64_t Extent(Value index) {
    return equation_.getStaticExtents()[mlir::cast<mlir::BlockArgument>(index).getArgNumber()];
  }

  // Packed weights hold an element for every value of the indices: no more than there are.
  bool ReadsEachOnce(Contraction& contraction, const WeightAxes& axes, Value column) {
    int64_t read = Extent(column), there = 1;
    if (mlir::ShapedType::isDynamic(read)) return false;
    for (Value index : axes.outer) {
      if (mlir::ShapedType::isDynamic(Extent(index))) return false;
      read *= Extent(index);
    }
    auto type = mlir::cast<mlir::RankedTensorType>(contraction.weights.getTensor().getType());
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (!llvm::is_contained(axes.taps, axis) && !llvm::is_contained(axes.channels, axis))
        there *= type.getDimSize(axis);
    }
    return read <= there;
  }

  // The results along which a tile's rows can lie: all of them where the data is read at the indices
  // themselves, so that their loops can run as one, else those of the innermost. Negative: known at run time
  // only.
  int64_t TileableRows(Contraction& contraction) {
    bool one_loop = true;
    for (Value subscript : contraction.data.getSubscripts()) {
      for (Value index : IndicesOf(subscript))
        one_loop &= index == subscript || !llvm::is_contained(contraction.rows, index);
    }
    int64_t rows = 1;
    for (Value row : contraction.rows) {
      int64_t extent = equation_.getStaticExtents()[mlir::cast<mlir::BlockArgument>(row).getArgNumber()];
      if (mlir::ShapedType::isDynamic(extent)) return -1;
      rows = one_loop ? rows * extent : extent;
    }
    return rows;
  }

  // The sum walks memory in the packed order: taps outside, channels innermost.
  void SumChannelsInnermost(Contraction& contraction) {
    ir::ReduceOp reduce = contraction.reduce;
    SmallVector<Value> channels;
    for (Value index : reduce.getBody().getArguments())
      if (llvm::is_contained(contraction.data.getSubscripts(), index)) channels.push_back(index);
    SmallVector<unsigned> order;
    for (mlir::BlockArgument index : reduce.getBody().getArguments())
      if (!llvm::is_contained(channels, index)) order.push_back(index.getArgNumber());
    for (Value index : channels) order.push_back(mlir::cast<mlir::BlockArgument>(index).getArgNumber());
    if (llvm::is_sorted(order)) return;
    SmallVector<Value> lower, upper;
    SmallVector<llvm::StringRef> names;
    for (unsigned old : order) {
      lower.push_back(reduce.getLower()[old]);
      upper.push_back(reduce.getUpper()[old]);
      names.push_back(mlir::cast<mlir::StringAttr>(reduce.getNames()[old]).getValue());
    }
    mlir::IRRewriter rewriter(reduce.getContext());
    rewriter.setInsertionPoint(reduce);
    auto ordered = ir::ReduceOp::create(rewriter, reduce.getLoc(), reduce.getType(), reduce.getKind(), lower,
                                        upper, names, reduce.getIfEmpty(), nullptr);
    SmallVector<Value> arguments(order.size());
    for (auto [position, old] : llvm::enumerate(order))
      arguments[old] = ordered.getBody().getArgument(position);
    rewriter.inlineBlockBefore(&reduce.getBody().front(), &ordered.getBody().front(),
                               ordered.getBody().front().end(), arguments);
    rewriter.replaceOp(reduce, ordered.getResult());
  }

  // Those of a copy with the read's axes in another order, if an index of its own goes along each.
  static std::optional<SmallVector<PackedAxis>> AxesInOrder(ir::ReadOp read, llvm::ArrayRef<int64_t> order) {
    SmallVector<PackedAxis> axes;
    llvm::SmallDenseSet<Value> seen;
    auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
    for (int64_t axis : order) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(Value(read.getSubscripts()[axis]));
      if (!index || !seen.insert(index).second || LengthOf(index, read) != type.getDimSize(axis))
        return std::nullopt;
      axes.push_back({index, type.getDimSize(axis), 1, 0, "i" + std::to_string(axis)});
    }
    return axes;
  }

  // The index that vectors go along: the innermost of the domain, or, where that has too few values, the one
  // of a reduction that walks the last axis of what is no weight. Null: there is none.
  Value IndexOfLanes() {
    Value innermost;
    int64_t values = 0;
    for (auto [index, extent] :
         llvm::zip_equal(equation_.getBody().getArguments(), equation_.getStaticExtents()))
      if (extent != 1) innermost = index, values = extent;
    Value reduced;
    equation_.getBody().walk([&](ir::ReadOp read) {
      auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
      if (type.getRank() == 0 || IsLoadTime(read.getTensor())) return;
      int64_t lanes = target_.vector_bytes / ElementBytes(type.getElementType()),
              length = type.getShape().back();
      auto last = mlir::dyn_cast<mlir::BlockArgument>(Value(read.getSubscripts().back()));
      bool reduces = last && mlir::isa<ir::ReduceOp>(last.getOwner()->getParentOp());
      bool are_few = values > 0 && values < lanes / 2;
      if (reduces && are_few && (length < 0 || length >= lanes)) reduced = last;
    });
    return reduced ? reduced : innermost;
  }

  // An operand of weights alone whose axes are walked by indices: that of the lanes walks its last axis.
  void PermuteToLoops(ir::ReadOp read, Value lanes) {
    auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
    if (type.getRank() < 2 || !IsInside(read) || !IsLoadTime(read.getTensor())) return;
    int64_t walked = -1;
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
      if (subscript == lanes && walked < 0) {
        walked = axis;
      } else if (llvm::is_contained(IndicesOf(subscript), lanes)) {
        return;
      }
    }
    if (walked < 0 ||
        llvm::all_of(type.getShape().drop_front(walked + 1), [](int64_t size) { return size == 1; }))
      return;
    SmallVector<int64_t> order;  // new position -> old one
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (axis != walked) order.push_back(axis);
    order.push_back(walked);
    if (auto axes = AxesInOrder(read, order)) return PackAs(read, *axes);
    SmallVector<mlir::OpFoldResult> extents;
    SmallVector<mlir::Attribute> names;
    for (int64_t axis : order) {
      extents.push_back(outside_.getIndexAttr(type.getDimSize(axis)));
      names.push_back(outside_.getStringAttr("i" + std::to_string(axis)));
    }
    auto permuted = CreateEquation(
        outside_, PartOf(LabelOf(equation_), "permuted"), extents, names, type.getElementType(),
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          SmallVector<Value> subscripts(type.getRank());
          for (auto [position, old] : llvm::enumerate(order)) subscripts[old] = indices[position];
          return {CreateRead(body, read.getLoc(), read.getTensor(), subscripts)};
        });
    mlir::OpBuilder builder(read);
    SmallVector<Value> subscripts;
    for (int64_t old : order) subscripts.push_back(read.getSubscripts()[old]);
    Value replaced = CreateRead(builder, read.getLoc(), permuted->getResult(0), subscripts);
    read.getResult().replaceAllUsesWith(replaced);
    read->erase();
  }

  ir::EquationOp equation_;
  TargetDescription target_;
  mlir::OpBuilder outside_;
  PathEntries& done_;
  PathEntries& problems_;
  llvm::DenseSet<mlir::Operation*> packed_;  // reads of what lies as it should
};

struct PackWeightsPass : impl::PackWeightsBase<PackWeightsPass> {
  using PackWeightsBase::PackWeightsBase;
  void runOnOperation() override {
    TargetDescription target;
    target.vector_bytes = vectorBytes;
    target.vector_registers = vectorRegisters;
    PathEntries done, problems;
    SmallVector<ir::EquationOp> equations(getOperation().getBody().front().getOps<ir::EquationOp>());
    for (ir::EquationOp equation : equations)
      if (!llvm::all_of(equation->getResults(), [](Value result) { return IsLoadTime(result); }))
        Packer(equation, target, done, problems).Run();
    done.KeepWith(getOperation(), kPacked);
    problems.KeepWith(getOperation(), kPackingProblems);
  }
};

}  // namespace
}  // namespace weft::passes
