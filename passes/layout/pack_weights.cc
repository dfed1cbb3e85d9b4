#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/layout/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/layout/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// How the subscripts of a contraction's weights split: each axis has one role.
struct WeightAxes {
  int64_t column = -1;
  SmallVector<int64_t> taps, channels, unit;
};

bool IsBareIndexOf(Value subscript, mlir::Block& block) {
  auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
  return index && index.getOwner() == &block;
}

std::optional<WeightAxes> SplitAxes(Contraction& contraction) {
  WeightAxes axes;
  llvm::SmallDenseSet<Value> seen;
  mlir::Block& sum = contraction.reduce.getBody().front();
  auto type = mlir::cast<mlir::RankedTensorType>(contraction.weights.getTensor().getType());
  for (auto [axis, subscript] : llvm::enumerate(contraction.weights.getSubscripts())) {
    if (subscript == contraction.columns.front() && axes.column < 0) {
      axes.column = axis;
    } else if (IsBareIndexOf(subscript, sum) && seen.insert(subscript).second) {
      // A channel is summed over as it is; a tap shifts the window.
      bool bare = llvm::is_contained(contraction.data.getSubscripts(), subscript);
      (bare ? axes.channels : axes.taps).push_back(axis);
    } else if (type.getDimSize(axis) == 1) {
      axes.unit.push_back(axis);
    } else {
      return std::nullopt;
    }
  }
  return axes.column < 0 ? std::nullopt : std::optional(axes);
}

class Packer {
 public:
  Packer(ir::EquationOp equation, const TargetDescription& target)
      : equation_(equation), target_(target), outside_(equation) {}

  void Run() {
    if (auto contraction = MatchContraction(equation_)) {
      if (Block(*contraction)) return;
    }
    SmallVector<ir::ReadOp> reads;
    equation_.getBody().walk([&](ir::ReadOp read) { reads.push_back(read); });
    for (ir::ReadOp read : reads) PermuteToLoops(read);
  }

 private:
  bool Block(Contraction& contraction) {
    if (!contraction.data || !contraction.weights || contraction.columns.size() != 1 ||
        !contraction.batch.empty())
      return false;
    if (!IsLoadTime(contraction.weights.getTensor()) || !IsInside(contraction.weights)) return false;
    std::optional<WeightAxes> axes = SplitAxes(contraction);
    if (!axes) return false;
    auto column = mlir::cast<mlir::BlockArgument>(contraction.columns.front());
    Value weights = contraction.weights.getTensor();
    auto type = mlir::cast<mlir::RankedTensorType>(weights.getType());
    int64_t columns = type.getDimSize(axes->column);
    int64_t block =
        PackedBlock(target_, TileableRows(contraction), columns, ElementBytes(type.getElementType()));
    if (block == 0 || columns == 0) return false;

    Value packed = WritePacked(weights, *axes, block);
    ReadPacked(contraction, *axes, packed, column, block);
    SumChannelsInnermost(contraction, *axes);
    equation_->setAttr("packed",
                       outside_.getDictionaryAttr({
                           outside_.getNamedAttr("axis", outside_.getI64IntegerAttr(column.getArgNumber())),
                           outside_.getNamedAttr("block", outside_.getI64IntegerAttr(block)),
                       }));
    return true;
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

  // [ceil(columns / block)][taps...][channels...][block], zero behind the last column.
  Value WritePacked(Value weights, const WeightAxes& axes, int64_t block) {
    auto type = mlir::cast<mlir::RankedTensorType>(weights.getType());
    mlir::Location location = equation_.getLoc();
    int64_t columns = type.getDimSize(axes.column);
    SmallVector<int64_t> middle(axes.taps);
    llvm::append_range(middle, axes.channels);
    SmallVector<mlir::OpFoldResult> extents = {outside_.getIndexAttr((columns + block - 1) / block)};
    SmallVector<mlir::Attribute> names = {outside_.getStringAttr("block")};
    for (int64_t axis : middle) {
      extents.push_back(outside_.getIndexAttr(type.getDimSize(axis)));
      names.push_back(outside_.getStringAttr("i" + std::to_string(axis)));
    }
    extents.push_back(outside_.getIndexAttr(block));
    names.push_back(outside_.getStringAttr("lane"));
    auto packed = CreateEquation(
        outside_, PartOf(LabelOf(equation_), "packed"), extents, names, type.getElementType(),
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          Value width = arith::ConstantIndexOp::create(body, location, block);
          Value column = arith::MulIOp::create(body, location, indices.front(), width);
          column = arith::AddIOp::create(body, location, column, indices.back());
          SmallVector<Value> subscripts(type.getRank());
          subscripts[axes.column] = column;
          for (auto [position, axis] : llvm::enumerate(middle)) subscripts[axis] = indices[position + 1];
          for (int64_t axis : axes.unit) subscripts[axis] = arith::ConstantIndexOp::create(body, location, 0);
          SmallVector<ir::Outside> outside(type.getRank(), ir::Outside::inside);
          Value zero;
          if (columns % block != 0) {
            outside[axes.column] = ir::Outside::fill;
            zero = arith::ConstantOp::create(body, location, body.getZeroAttr(type.getElementType()));
          }
          return {CreateRead(body, location, weights, subscripts, outside, zero)};
        });
    return packed->getResult(0);
  }

  void ReadPacked(Contraction& contraction, const WeightAxes& axes, Value packed, Value column,
                  int64_t block) {
    ir::ReadOp read = contraction.weights;
    mlir::OpBuilder builder(read);
    Value width = arith::ConstantIndexOp::create(builder, read.getLoc(), block);
    SmallVector<Value> subscripts = {arith::DivUIOp::create(builder, read.getLoc(), column, width)};
    for (int64_t axis : axes.taps) subscripts.push_back(read.getSubscripts()[axis]);
    for (int64_t axis : axes.channels) subscripts.push_back(read.getSubscripts()[axis]);
    subscripts.push_back(arith::RemUIOp::create(builder, read.getLoc(), column, width));
    Value replaced = CreateRead(builder, read.getLoc(), packed, subscripts);
    read.getResult().replaceAllUsesWith(replaced);
    read->erase();
  }

  // The sum walks memory in the packed order: taps outside, channels innermost.
  void SumChannelsInnermost(Contraction& contraction, const WeightAxes& axes) {
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

  // An operand of weights alone whose axes are walked by indices: the innermost index of the domain walks its
  // last axis.
  void PermuteToLoops(ir::ReadOp read) {
    auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
    if (type.getRank() < 2 || !IsInside(read) || !IsLoadTime(read.getTensor())) return;
    Value innermost;
    for (auto [index, extent] :
         llvm::zip_equal(equation_.getBody().getArguments(), equation_.getStaticExtents()))
      if (extent != 1) innermost = index;
    if (!innermost) return;
    int64_t walked = -1;
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
      if (subscript == innermost && walked < 0) {
        walked = axis;
      } else if (llvm::is_contained(IndicesOf(subscript), innermost)) {
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
};

struct PackWeightsPass : impl::PackWeightsBase<PackWeightsPass> {
  using PackWeightsBase::PackWeightsBase;
  void runOnOperation() override {
    TargetDescription target;
    target.vector_bytes = vectorBytes;
    target.vector_registers = vectorRegisters;
    SmallVector<ir::EquationOp> equations(getOperation().getBody().front().getOps<ir::EquationOp>());
    for (ir::EquationOp equation : equations)
      if (!llvm::all_of(equation->getResults(), [](Value result) { return IsLoadTime(result); }))
        Packer(equation, target).Run();
  }
};

}  // namespace
}  // namespace weft::passes
