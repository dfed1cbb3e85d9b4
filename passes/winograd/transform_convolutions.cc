#include "mlir/IR/IRMapping.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/packing.h"
#include "passes/winograd/convolution.h"
#include "passes/winograd/minimal_filtering.h"
#include "passes/winograd/passes.h"

// See passes.td. Tiles stand before channels in all that is made: what a tile reads and writes lies side by
// side, and equations that share the tile share a kernel.

namespace weft::passes {

#define GEN_PASS_DEF_TRANSFORMCONVOLUTIONS
#include "passes/winograd/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpBuilder;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Writes the equations of one convolution.
class Writer {
 public:
  Writer(ir::EquationOp equation, const Convolution& convolution, const MinimalFiltering& filtering)
      : equation_(equation),
        convolution_(convolution),
        filtering_(filtering),
        builder_(equation),
        location_(equation.getLoc()),
        type_(builder_.getF32Type()) {}

  void Run() {
    tile_rows_ = Tiles(convolution_.row), tile_columns_ = Tiles(convolution_.column);
    Value filters = WriteFilters();
    Value products = WriteProducts(WriteTiles(WriteRows()), filters);
    ReadProducts(products);
  }

 private:
  static constexpr llvm::StringLiteral kRowTile = "row_tile", kColumnTile = "column_tile";

  OpFoldResult ExtentOf(mlir::BlockArgument index) { return ExtentsOf(equation_)[index.getArgNumber()]; }

  OpFoldResult Tiles(mlir::BlockArgument index) {
    OpFoldResult extent = ExtentOf(index);
    if (auto number = mlir::getConstantIntValue(extent))
      return builder_.getIndexAttr((*number + filtering_.outputs - 1) / filtering_.outputs);
    Value more = arith::AddIOp::create(builder_, location_, mlir::cast<Value>(extent),
                                       Index(builder_, filtering_.outputs - 1));
    return arith::DivUIOp::create(builder_, location_, more, Index(builder_, filtering_.outputs)).getResult();
  }

  Value Index(OpBuilder& builder, int64_t number) {
    return arith::ConstantIndexOp::create(builder, location_, number);
  }

  // The domain of something that is there for each tile: indices that stay, the tile, then `inner`.
  void TileDomain(llvm::ArrayRef<std::pair<int64_t, std::string>> inner) {
    extents_.clear(), names_.clear();
    for (mlir::BlockArgument index : convolution_.others)
      AddIndex(ExtentOf(index),
               mlir::cast<mlir::StringAttr>(equation_.getNames()[index.getArgNumber()]).str());
    AddIndex(tile_rows_, kRowTile.str());
    AddIndex(tile_columns_, kColumnTile.str());
    for (const auto& [extent, name] : inner) AddIndex(builder_.getIndexAttr(extent), name);
  }

  void AddIndex(OpFoldResult extent, std::string name) {
    extents_.push_back(extent);
    while (llvm::is_contained(names_, builder_.getStringAttr(name))) name += "_";
    names_.push_back(builder_.getStringAttr(name));
  }

  std::string NameOf(mlir::BlockArgument index) {
    auto reduce = mlir::dyn_cast<ir::ReduceOp>(index.getOwner()->getParentOp());
    mlir::ArrayAttr names = reduce ? reduce.getNames() : equation_.getNames();
    return mlir::cast<mlir::StringAttr>(names[index.getArgNumber()]).str();
  }

  Value Create(llvm::StringRef part, BodyBuilder body) {
    ir::EquationOp created =
        CreateEquation(builder_, PartOf(LabelOf(equation_), part), extents_, names_, type_, body);
    created->setAttr(kStandsAlone, builder_.getUnitAttr());
    return created->getResult(0);
  }

  size_t Outer() const { return convolution_.others.size() + 2; }

  // [others..., tile, j, a, c]: of each column of a tile the products with all rows of the matrix.
  Value WriteRows() {
    int64_t points = filtering_.Products();
    TileDomain({{points, "j"}, {points, "a"}, {convolution_.channels, NameOf(convolution_.channel)}});
    return Create("rows", [&](OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
      mlir::IRMapping mapping;
      for (auto [position, index] : llvm::enumerate(convolution_.others))
        mapping.map(index, indices[position]);
      mapping.map(convolution_.channel, indices.back());
      size_t outer = Outer();
      Value column = InputPlace(body, indices[outer - 1], indices[outer], convolution_.column_offset);
      SmallVector<Value> inputs;
      for (int64_t i = 0; i < points; ++i) {
        Value row = InputPlace(body, indices[outer - 2], Index(body, i), convolution_.row_offset);
        inputs.push_back(ReadInput(body, mapping, row, column));
      }
      return {WriteRow(body, location_, filtering_.input, indices[outer + 1], inputs)};
    });
  }

  // m * tile + inside + offset.
  Value InputPlace(OpBuilder& body, Value tile, Value inside, int64_t offset) {
    Value place = arith::MulIOp::create(body, location_, tile, Index(body, filtering_.outputs));
    place = arith::AddIOp::create(body, location_, place, inside);
    if (offset == 0) return place;
    return arith::AddIOp::create(body, location_, place, Index(body, offset));
  }

  Value ReadInput(OpBuilder& body, const mlir::IRMapping& mapping, Value row, Value column) {
    ir::ReadOp read = convolution_.contraction.data;
    SmallVector<Value> subscripts;
    SmallVector<ir::Outside> outside = OutsideOf(read);
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
      auto number = static_cast<int64_t>(axis);
      bool is_row = number == convolution_.row_axis, is_column = number == convolution_.column_axis;
      subscripts.push_back(is_row                        ? row
                           : is_column                   ? column
                           : mapping.contains(subscript) ? mapping.lookup(subscript)
                                                         : Index(body, LinearFormOf(subscript).constant));
      // The last tiles go beyond the results, and what only those read is used for nothing.
      bool overhangs = (is_row && !IsWhole(convolution_.row)) || (is_column && !IsWhole(convolution_.column));
      if (overhangs && outside[axis] == ir::Outside::inside) outside[axis] = ir::Outside::fill;
    }
    Value fill;
    if (llvm::is_contained(outside, ir::Outside::fill)) {
      mlir::TypedAttr element = body.getZeroAttr(type_);
      if (Value old = read.getFill()) element = old.getDefiningOp<arith::ConstantOp>().getValue();
      fill = arith::ConstantOp::create(body, location_, element);
    }
    return CreateRead(body, location_, read.getTensor(), subscripts, outside, fill);
  }

  // Whether tiles end where the results do.
  bool IsWhole(mlir::BlockArgument index) {
    auto number = mlir::getConstantIntValue(ExtentOf(index));
    return number && *number % filtering_.outputs == 0;
  }

  // [others..., tile, a, b, c].
  Value WriteTiles(Value rows) {
    int64_t points = filtering_.Products();
    TileDomain({{points, "a"}, {points, "b"}, {convolution_.channels, NameOf(convolution_.channel)}});
    return Create("tiles", [&](OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
      size_t outer = Outer();
      SmallVector<Value> inputs;
      for (int64_t j = 0; j < points; ++j) {
        SmallVector<Value> at(indices.take_front(outer));
        at.append({Index(body, j), indices[outer], indices.back()});
        inputs.push_back(CreateRead(body, location_, rows, at));
      }
      return {WriteRow(body, location_, filtering_.input, indices[outer + 1], inputs)};
    });
  }

  // [a, b, k, c], of weights alone.
  Value WriteFilters() {
    int64_t points = filtering_.Products();
    ir::ReadOp read = convolution_.contraction.weights;
    extents_.clear(), names_.clear();
    AddIndex(builder_.getIndexAttr(points), "a");
    AddIndex(builder_.getIndexAttr(points), "b");
    AddIndex(builder_.getIndexAttr(convolution_.filters), NameOf(convolution_.filter));
    AddIndex(builder_.getIndexAttr(convolution_.channels), NameOf(convolution_.channel));
    auto filters = CreateEquation(
        builder_, PartOf(LabelOf(equation_), "filters"), extents_, names_, type_,
        [&](OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          SmallVector<Value> columns;
          for (int64_t s = 0; s < filtering_.weights.columns; ++s) {
            SmallVector<Value> taps;
            for (int64_t r = 0; r < filtering_.weights.columns; ++r) {
              mlir::IRMapping mapping;
              mapping.map(convolution_.filter, indices[2]);
              mapping.map(convolution_.channel, indices[3]);
              mapping.map(convolution_.row_tap, Index(body, r));
              mapping.map(convolution_.column_tap, Index(body, s));
              SmallVector<Value> at;
              for (Value subscript : read.getSubscripts())
                at.push_back(mapping.contains(subscript) ? mapping.lookup(subscript) : Index(body, 0));
              taps.push_back(CreateRead(body, location_, read.getTensor(), at));
            }
            columns.push_back(WriteRow(body, location_, filtering_.weights, indices[0], taps));
          }
          return {WriteRow(body, location_, filtering_.weights, indices[1], columns)};
        });
    return filters->getResult(0);
  }

  // [others..., tile, a, b, k]: a matrix product for each a, b.
  Value WriteProducts(Value tiles, Value filters) {
    int64_t points = filtering_.Products();
    TileDomain({{points, "a"}, {points, "b"}, {convolution_.filters, NameOf(convolution_.filter)}});
    return Create("products", [&](OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
      size_t outer = Outer();
      std::string channel = NameOf(convolution_.channel);
      auto multiply = [&](OpBuilder& inside, mlir::Location, mlir::ValueRange summed) {
        SmallVector<Value> at(indices.drop_back());
        at.push_back(summed[0]);
        Value tile = CreateRead(inside, location_, tiles, at);
        Value filter = CreateRead(inside, location_, filters,
                                  {indices[outer], indices[outer + 1], indices.back(), summed[0]});
        ir::YieldOp::create(inside, location_,
                            arith::MulFOp::create(inside, location_, tile, filter).getResult());
      };
      return {ir::ReduceOp::create(body, location_, type_, ir::ReduceKind::sum, {Index(body, 0)},
                                   {Index(body, convolution_.channels)}, {llvm::StringRef(channel)}, Value(),
                                   multiply)
                  .getResult()};
    });
  }

  // In the place of the sum.
  void ReadProducts(Value products) {
    ir::ReduceOp sum = convolution_.contraction.reduce;
    OpBuilder body(sum);
    Value outputs = Index(body, filtering_.outputs);
    auto divide = [&](mlir::BlockArgument index) -> std::pair<Value, Value> {
      return {arith::DivUIOp::create(body, location_, index, outputs),
              arith::RemUIOp::create(body, location_, index, outputs)};
    };
    auto [row_tile, row] = divide(convolution_.row);
    auto [column_tile, column] = divide(convolution_.column);
    SmallVector<Value> columns;
    for (int64_t b = 0; b < filtering_.Products(); ++b) {
      SmallVector<Value> rows;
      for (int64_t a = 0; a < filtering_.Products(); ++a) {
        SmallVector<Value> at(convolution_.others.begin(), convolution_.others.end());
        at.append({row_tile, column_tile, Index(body, a), Index(body, b), convolution_.filter});
        rows.push_back(CreateRead(body, location_, products, at));
      }
      columns.push_back(WriteRow(body, location_, filtering_.output, row, rows));
    }
    sum.getResult().replaceAllUsesWith(WriteRow(body, location_, filtering_.output, column, columns));
    sum->erase();
    equation_->setAttr(kStandsAlone, builder_.getUnitAttr());
  }

  ir::EquationOp equation_;
  const Convolution& convolution_;
  const MinimalFiltering& filtering_;
  OpBuilder builder_;
  mlir::Location location_;
  mlir::Type type_;
  OpFoldResult tile_rows_, tile_columns_;
  SmallVector<OpFoldResult> extents_;
  SmallVector<mlir::Attribute> names_;
};

struct TransformConvolutionsPass : impl::TransformConvolutionsBase<TransformConvolutionsPass> {
  using TransformConvolutionsBase::TransformConvolutionsBase;

  void runOnOperation() override {
    target_.vector_bytes = vectorBytes, target_.l2_bytes = l2Bytes;
    if (auto module = getOperation()->getParentOfType<mlir::ModuleOp>())
      tolerances_ = module->getAttrOfType<mlir::DictionaryAttr>(kTolerances);
    if (!tolerances_ && tolerance == 0) return;
    SmallVector<ir::EquationOp> equations(getOperation().getBody().front().getOps<ir::EquationOp>());
    for (ir::EquationOp equation : equations) Transform(equation);
  }

 private:
  void Transform(ir::EquationOp equation) {
    double tolerated = ToleranceOf(equation);
    if (tolerated == 0 || IsLoadTime(equation->getResult(0))) return;
    llvm::StringRef why;
    auto convolution = MatchConvolution(equation, &why);
    if (!convolution) {
      if (!why.empty()) Explain(equation, "is not transformed: " + why);
      return;
    }
    // No equation would be left that reads the weights as the schedule has them.
    if (HasPacking(equation)) {
      Explain(equation, "is not transformed: a schedule packs what it reads");
      return;
    }
    const MinimalFiltering* best = nullptr;
    bool any = false;
    double least = kWorthIt * DirectCycles(equation, *convolution, target_);
    for (const MinimalFiltering& filtering : MinimalFilterings()) {
      if (filtering.ErrorOf(convolution->channels) > tolerated) continue;
      any = true;
      double cycles = FilteringCycles(equation, *convolution, filtering, target_);
      if (cycles < least) best = &filtering, least = cycles;
    }
    if (!best) {
      Explain(equation, any ? "is not transformed: the direct sum is about as fast"
                            : "is not transformed: the tolerance is too small");
      return;
    }
    Explain(equation, llvm::Twine("is computed in tiles of ") + llvm::Twine(best->outputs) + "x" +
                          llvm::Twine(best->outputs) + " results, by fewer products (Winograd)");
    Writer(equation, *convolution, *best).Run();
  }

  double ToleranceOf(ir::EquationOp equation) {
    if (tolerances_ && equation.getPathAttr())
      if (auto own = tolerances_.getAs<mlir::FloatAttr>(equation.getPathAttr()))
        return own.getValueAsDouble();
    return tolerance;
  }

  void Explain(ir::EquationOp equation, const llvm::Twine& what) {
    if (explain) mlir::emitRemark(equation.getLoc()) << "the 3x3 convolution " << what;
  }

  // Of the direct sum's time: an estimate is no measurement.
  static constexpr double kWorthIt = 0.9;

  TargetDescription target_;
  mlir::DictionaryAttr tolerances_;
};

}  // namespace
}  // namespace weft::passes
