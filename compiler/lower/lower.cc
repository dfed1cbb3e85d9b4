#include "compiler/lower/lower.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "compiler/ir/operand_name.h"
#include "compiler/ir/until.h"
#include "compiler/ir/variant.h"
#include "compiler/ir/weft_dialect.h"
#include "compiler/lower/expr_lowering.h"
#include "compiler/lower/scalar_types.h"
#include "compiler/lower/size_lowering.h"
#include "compiler/lower/variants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft::lower {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace tensor = mlir::tensor;
using dsl::Size;
using mlir::Location;
using mlir::OpBuilder;
using mlir::Value;

namespace {

absl::string_view TypeName(dsl::ElementType element) {
  switch (element) {
    case dsl::ElementType::kBool:
      return "bool";
    case dsl::ElementType::kInt:
      return "int";
    case dsl::ElementType::kI8:
      return "i8";
    case dsl::ElementType::kU8:
      return "u8";
    case dsl::ElementType::kI32:
      return "i32";
    case dsl::ElementType::kI64:
      return "i64";
    case dsl::ElementType::kF16:
      return "f16";
    case dsl::ElementType::kBf16:
      return "bf16";
    case dsl::ElementType::kF32:
      return "f32";
    case dsl::ElementType::kF64:
      return "f64";
  }
  return "";
}

mlir::RankedTensorType TensorType(mlir::Builder& builder, dsl::ElementType element,
                                  const std::vector<Size>& shape) {
  llvm::SmallVector<int64_t> extents;
  for (const Size& size : shape) extents.push_back(size.AsInteger().value_or(mlir::ShapedType::kDynamic));
  return mlir::RankedTensorType::get(extents, StorageType(builder, element));
}

// Lowers one method into one function.
class MethodLowering {
 public:
  MethodLowering(const dsl::Program& program, const dsl::Method& method, const dsl::SourceManager& sources,
                 mlir::MLIRContext& context)
      : program_(program), method_(method), sources_(sources), builder_(&context) {}

  func::FuncOp Run(mlir::ModuleOp module);

 private:
  Location LocationOf(const dsl::Span& span);
  Location LocationOf(const dsl::Statement& statement);
  Location LocationOfRead(const dsl::Span& span);
  func::FuncOp CreateFunction(mlir::ModuleOp module);
  mlir::FloatAttr FillOf(const dsl::Weight& weight);
  mlir::DenseI64ArrayAttr RangeOf(const dsl::Weight& weight);
  mlir::StringAttr ElementName(dsl::ElementType type);
  mlir::DictionaryAttr PortAttributes(const dsl::Port& port, bool is_input);
  void BindDimensions();
  void CollectFound(const std::vector<dsl::Statement>& statements);
  void BindGlobals();

  void Lower(const dsl::Statement& statement);
  void LowerNode(const dsl::Equation& equation, const dsl::Statement& statement);
  void LowerNode(const dsl::Collapse& collapse, const dsl::Statement& statement);
  void LowerNode(const dsl::Expand& expand, const dsl::Statement& statement);
  void LowerNode(const dsl::Concat& concat, const dsl::Statement& statement);
  void LowerNode(const dsl::Check& check, const dsl::Statement& statement);
  void LowerNode(const dsl::Sort& sort, const dsl::Statement& statement);
  void LowerNode(const dsl::Extern& call, const dsl::Statement& statement);
  void LowerNode(const dsl::Filter& filter, const dsl::Statement& statement);
  void LowerNode(const dsl::Parallel& parallel, const dsl::Statement& statement);
  void LowerNode(const dsl::Branch& branch, const dsl::Statement& statement);
  void LowerNode(const dsl::Recurrence& recurrence, const dsl::Statement& statement);
  void CutToFound(const dsl::Recurrence& recurrence, Value count, Location loc);
  Value BeginningOf(Value whole, mlir::RankedTensorType type, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    Location loc);
  Value BindFound(int symbol, Value count, Location loc);

  mlir::RankedTensorType TypeOf(dsl::TensorId tensor) {
    return TensorType(builder_, method_.tensors[tensor].element, method_.tensors[tensor].shape);
  }
  void EnterDomain(const std::vector<dsl::Domain>& domain, mlir::ValueRange indices);

  const dsl::Program& program_;
  const dsl::Method& method_;
  const dsl::SourceManager& sources_;
  OpBuilder builder_;
  func::FuncOp function_;
  Scope scope_;
  std::unique_ptr<SizeLowering> sizes_;
  std::unique_ptr<ExprLowering> expressions_;
  std::map<int, Size> found_;              // symbols of sizes that the data decides: at most so much
  std::vector<mlir::Operation*> markers_;  // before which sizes are computed; they go in the end
};

Location MethodLowering::LocationOf(const dsl::Span& span) {
  if (!span.valid()) return builder_.getUnknownLoc();
  const dsl::SourceFile& file = sources_.file(span.file);
  dsl::LineColumn place = file.Locate(span.begin);
  return mlir::FileLineColLoc::get(builder_.getContext(), file.name(), place.line, place.column);
}

Location MethodLowering::LocationOf(const dsl::Statement& statement) {
  return mlir::NameLoc::get(builder_.getStringAttr(statement.path), LocationOf(statement.span));
}

// With the name in front of the first bracket, the last one of `net.bias[o]`.
Location MethodLowering::LocationOfRead(const dsl::Span& span) {
  absl::string_view text = sources_.Text(span);
  auto is_name = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  size_t end = 0, begin = 0;
  for (; end < text.size() && (is_name(text[end]) || text[end] == '.'); ++end) {
    if (text[end] == '.') begin = end + 1;
  }
  if (begin == end) return LocationOf(span);
  return ir::WithOperandName(LocationOf(span), llvm::StringRef(text.data() + begin, end - begin));
}

// As files say it: a tensor's type does not tell u8 from i8.
mlir::StringAttr MethodLowering::ElementName(dsl::ElementType type) {
  return builder_.getStringAttr(llvm::StringRef(TypeName(type).data(), TypeName(type).size()));
}

mlir::DictionaryAttr MethodLowering::PortAttributes(const dsl::Port& port, bool is_input) {
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  auto add = [&](llvm::StringRef name, mlir::Attribute value) {
    attributes.push_back(builder_.getNamedAttr(name, value));
  };
  add("weft.name", builder_.getStringAttr(port.name));
  add("weft.type", ElementName(port.element));
  auto in_words = [&](const Size& size) -> mlir::Attribute {
    if (std::optional<int64_t> number = size.AsInteger()) return builder_.getI64IntegerAttr(*number);
    auto found = size.IsBareSymbol() ? found_.find(size.terms()[0].monomial[0].first->id) : found_.end();
    if (found == found_.end()) return builder_.getStringAttr(size.ToString());
    return builder_.getStringAttr(absl::StrCat(size.ToString(), " <= ", found->second.ToString()));
  };
  llvm::SmallVector<mlir::Attribute> shape;
  for (const Size& size : port.shape) shape.push_back(in_words(size));
  add("weft.shape", builder_.getArrayAttr(shape));
  if (!port.doc.empty()) add("weft.doc", builder_.getStringAttr(port.doc));
  if (is_input && port.range_lo && port.range_hi)
    add("weft.range", builder_.getArrayAttr({in_words(*port.range_lo), in_words(*port.range_hi)}));
  return builder_.getDictionaryAttr(attributes);
}

func::FuncOp MethodLowering::CreateFunction(mlir::ModuleOp module) {
  llvm::SmallVector<mlir::Type> inputs, outputs;
  for (const dsl::Port& port : method_.inputs)
    inputs.push_back(TensorType(builder_, port.element, port.shape));
  for (const dsl::Port& port : method_.outputs)
    outputs.push_back(TensorType(builder_, port.element, port.shape));
  for (const dsl::Method::Next& next : method_.next) outputs.push_back(TypeOf(next.tensor));
  OpBuilder at_end = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(at_end, builder_.getUnknownLoc(), method_.name,
                                       builder_.getFunctionType(inputs, outputs));
  if (!method_.doc.empty()) function->setAttr("weft.doc", builder_.getStringAttr(method_.doc));
  for (auto [i, port] : llvm::enumerate(method_.inputs)) function.setArgAttrs(i, PortAttributes(port, true));
  for (auto [i, port] : llvm::enumerate(method_.outputs))
    function.setResultAttrs(i, PortAttributes(port, false));
  for (auto [i, next] : llvm::enumerate(method_.next)) {
    const dsl::Weight& state = program_.weights[static_cast<size_t>(next.weight)];
    mlir::NamedAttrList attributes;
    attributes.set("weft.next", builder_.getStringAttr(state.path));
    attributes.set("weft.type", ElementName(state.element));
    if (mlir::FloatAttr fill = FillOf(state)) attributes.set("weft.fill", fill);
    if (mlir::DenseI64ArrayAttr range = RangeOf(state)) attributes.set("weft.range", range);
    function.setResultAttrs(static_cast<unsigned>(method_.outputs.size() + i),
                            attributes.getDictionary(builder_.getContext()));
  }
  return function;
}

mlir::FloatAttr MethodLowering::FillOf(const dsl::Weight& weight) {
  return weight.fill ? builder_.getF64FloatAttr(*weight.fill) : nullptr;
}

mlir::DenseI64ArrayAttr MethodLowering::RangeOf(const dsl::Weight& weight) {
  if (!weight.range) return nullptr;
  return builder_.getDenseI64ArrayAttr({weight.range->first, weight.range->second});
}

// Every dimension is read off an input's axis that is it, or a whole multiple of it.
void MethodLowering::BindDimensions() {
  for (auto [i, port] : llvm::enumerate(method_.inputs)) {
    for (auto [axis, size] : llvm::enumerate(port.shape)) {
      if (size.terms().size() != 1 || size.terms()[0].monomial.size() != 1) continue;
      const auto& [atom, power] = size.terms()[0].monomial[0];
      dsl::Rational factor = size.terms()[0].coefficient;
      if (atom->kind != dsl::SizeAtom::Kind::kSymbol || power != 1 || factor.den != 1) continue;
      if (sizes_->IsBound(atom->id)) continue;
      Location loc = LocationOf(port.span);
      Value extent = tensor::DimOp::create(sizes_->head(), loc, function_.getArgument(i), axis);
      if (factor.num != 1) {
        Value divisor = arith::ConstantIndexOp::create(sizes_->head(), loc, factor.num);
        extent = arith::DivSIOp::create(sizes_->head(), loc, extent, divisor);
      }
      sizes_->BindSymbol(atom->id, extent);
    }
  }
}

// Inputs, weights and constants; a weight that two methods or equations use is one op per function.
void MethodLowering::BindGlobals() {
  for (auto [id, tensor] : llvm::enumerate(method_.tensors)) {
    Location loc = LocationOf(tensor.span);
    switch (tensor.origin) {
      case dsl::Tensor::Origin::kLocal:
        break;
      case dsl::Tensor::Origin::kInput:
        scope_.tensors[id] = function_.getArgument(tensor.source);
        break;
      case dsl::Tensor::Origin::kWeight: {
        const dsl::Weight& weight = program_.weights[tensor.source];
        auto type = mlir::RankedTensorType::get(weight.shape, StorageType(builder_, weight.element));
        mlir::UnitAttr yes = builder_.getUnitAttr(), no = nullptr;
        auto op = ir::WeightOp::create(builder_, LocationOf(weight.span), type,
                                       builder_.getStringAttr(weight.path), weight.is_state ? yes : no,
                                       weight.changes ? yes : no, FillOf(weight), RangeOf(weight));
        op->setAttr("weft.type", ElementName(weight.element));
        scope_.tensors[id] = op;
        break;
      }
      case dsl::Tensor::Origin::kConstant: {
        auto type = TypeOf(id);
        llvm::SmallVector<mlir::Attribute> elements;
        const auto& values = program_.constants[tensor.source].values;
        if (const auto* whole = std::get_if<std::vector<int64_t>>(&values)) {
          for (int64_t value : *whole)
            elements.push_back(builder_.getIntegerAttr(type.getElementType(), value));
        } else {
          for (double value : std::get<std::vector<double>>(values))
            elements.push_back(builder_.getFloatAttr(type.getElementType(), value));
        }
        scope_.tensors[id] =
            arith::ConstantOp::create(builder_, loc, mlir::DenseElementsAttr::get(type, elements));
        break;
      }
    }
  }
}

void MethodLowering::CollectFound(const std::vector<dsl::Statement>& statements) {
  for (const dsl::Statement& statement : statements) {
    if (const auto* filter = std::get_if<dsl::Filter>(&statement.node)) found_[filter->size] = filter->most;
    if (const auto* parallel = std::get_if<dsl::Parallel>(&statement.node)) CollectFound(parallel->body);
    if (const auto* branch = std::get_if<dsl::Branch>(&statement.node)) {
      CollectFound(branch->then);
      CollectFound(branch->otherwise);
    }
    if (const auto* steps = std::get_if<dsl::Recurrence>(&statement.node)) {
      CollectFound(steps->body);
      if (steps->size >= 0) found_[steps->size] = steps->index.extent;
    }
  }
}

func::FuncOp MethodLowering::Run(mlir::ModuleOp module) {
  CollectFound(method_.body);
  for (const auto& [symbol, most] : method_.found_bounds) found_[symbol] = most;
  function_ = CreateFunction(module);
  mlir::Block* entry = function_.addEntryBlock();

  // Sizes and equations grow on both sides of one marker; it goes when both are done.
  builder_.setInsertionPointToStart(entry);
  auto marker = arith::ConstantIndexOp::create(builder_, builder_.getUnknownLoc(), 0);
  OpBuilder head(marker);
  sizes_ = std::make_unique<SizeLowering>(head, builder_.getUnknownLoc());
  expressions_ = std::make_unique<ExprLowering>(
      *sizes_, [this](const dsl::Span& span) { return LocationOf(span); },
      [this](const dsl::Span& span) { return LocationOfRead(span); });
  BindDimensions();

  builder_.setInsertionPointToEnd(entry);
  BindGlobals();
  for (const dsl::Statement& statement : method_.body) Lower(statement);
  llvm::SmallVector<Value> results;
  for (const dsl::Port& port : method_.outputs) results.push_back(scope_.tensors.at(port.tensor));
  for (const dsl::Method::Next& next : method_.next) results.push_back(scope_.tensors.at(next.tensor));
  func::ReturnOp::create(builder_, builder_.getUnknownLoc(), results);
  marker->erase();
  for (mlir::Operation* found : markers_) found->erase();
  return function_;
}

void MethodLowering::Lower(const dsl::Statement& statement) {
  std::visit([&](const auto& node) { LowerNode(node, statement); }, statement.node);
}

void MethodLowering::EnterDomain(const std::vector<dsl::Domain>& domain, mlir::ValueRange indices) {
  for (auto [left, index] : llvm::zip_equal(domain, indices)) scope_.indices[left.index] = index;
}

void MethodLowering::LowerNode(const dsl::Equation& equation, const dsl::Statement& statement) {
  llvm::SmallVector<mlir::OpFoldResult> extents;
  llvm::SmallVector<llvm::StringRef> names;
  for (const dsl::Domain& left : equation.domain) {
    extents.push_back(sizes_->Lower(left.extent));
    names.push_back(left.name);
  }
  llvm::SmallVector<mlir::Type> types;
  for (dsl::TensorId result : equation.results) types.push_back(TypeOf(result));
  Location loc = LocationOf(statement);
  auto op = ir::EquationOp::create(
      builder_, loc, types, extents, names, statement.path,
      [&](OpBuilder& inner, Location, mlir::ValueRange indices) {
        EnterDomain(equation.domain, indices);
        scope_.lowered = {{}};
        llvm::SmallVector<Value> values;
        for (const dsl::ExprPtr& body : equation.bodies) {
          values.push_back(ToStorage(inner, loc, expressions_->Lower(inner, *body, scope_)));
        }
        ir::YieldOp::create(inner, loc, values);
      });
  for (auto [id, value] : llvm::zip_equal(equation.results, op.getResults())) scope_.tensors[id] = value;
}

void MethodLowering::LowerNode(const dsl::Collapse& collapse, const dsl::Statement& statement) {
  llvm::SmallVector<mlir::ReassociationIndices> groups;
  for (const std::vector<int>& group : collapse.groups) groups.emplace_back(group.begin(), group.end());
  scope_.tensors[collapse.result] = tensor::CollapseShapeOp::create(
      builder_, LocationOf(statement), TypeOf(collapse.result), scope_.tensors.at(collapse.source), groups);
}

void MethodLowering::LowerNode(const dsl::Expand& expand, const dsl::Statement& statement) {
  llvm::SmallVector<mlir::ReassociationIndices> groups;
  for (const std::vector<int>& group : expand.groups) groups.emplace_back(group.begin(), group.end());
  llvm::SmallVector<mlir::OpFoldResult> extents;
  for (const Size& size : method_.tensors[expand.result].shape) extents.push_back(sizes_->Lower(size));
  scope_.tensors[expand.result] =
      tensor::ExpandShapeOp::create(builder_, LocationOf(statement), TypeOf(expand.result),
                                    scope_.tensors.at(expand.source), groups, extents);
}

void MethodLowering::LowerNode(const dsl::Concat& concat, const dsl::Statement& statement) {
  llvm::SmallVector<Value> sources;
  for (dsl::TensorId source : concat.sources) sources.push_back(scope_.tensors.at(source));
  scope_.tensors[concat.result] =
      tensor::ConcatOp::create(builder_, LocationOf(statement), TypeOf(concat.result), concat.axis, sources);
}

void MethodLowering::LowerNode(const dsl::Check& check, const dsl::Statement& statement) {
  using Relation = dsl::Check::Relation;
  ir::CheckRelation relation = check.relation == Relation::kEqual    ? ir::CheckRelation::equal
                               : check.relation == Relation::kAtMost ? ir::CheckRelation::at_most
                                                                     : ir::CheckRelation::divisible;
  llvm::SmallVector<Value> values;
  for (const Size& size : check.values) values.push_back(sizes_->LowerToValue(size));
  ir::CheckOp::create(builder_, LocationOf(statement), relation, sizes_->LowerToValue(check.lhs),
                      sizes_->LowerToValue(check.rhs), check.message, values);
}

void MethodLowering::LowerNode(const dsl::Sort& sort, const dsl::Statement& statement) {
  llvm::SmallVector<Value> sizes;
  for (const Size& size : method_.tensors[sort.result].shape)
    if (!size.AsInteger()) sizes.push_back(sizes_->LowerToValue(size));
  scope_.tensors[sort.result] = ir::SortOp::create(builder_, LocationOf(statement), TypeOf(sort.result),
                                                   scope_.tensors.at(sort.keys), sizes, sort.descending);
}

// Room for all that may be found, then the beginning of it that is.
void MethodLowering::LowerNode(const dsl::Filter& filter, const dsl::Statement& statement) {
  Location loc = LocationOf(statement);
  mlir::Type i64 = builder_.getI64Type();
  auto room = TensorType(builder_, dsl::ElementType::kInt, {filter.most});
  llvm::SmallVector<Value> sizes;
  if (!filter.most.AsInteger()) sizes.push_back(sizes_->LowerToValue(filter.most));
  auto op = ir::FilterOp::create(builder_, loc, room, mlir::RankedTensorType::get({}, i64),
                                 scope_.tensors.at(filter.mask), sizes);
  Value size = BindFound(filter.size, op.getCount(), loc);
  scope_.tensors[filter.result] = BeginningOf(op.getPositions(), TypeOf(filter.result), {size}, loc);
}

// A part of `whole` that begins where it begins. Where that has no element there is no place to begin at.
Value MethodLowering::BeginningOf(Value whole, mlir::RankedTensorType type,
                                  llvm::ArrayRef<mlir::OpFoldResult> sizes, Location loc) {
  if (llvm::is_contained(mlir::cast<mlir::RankedTensorType>(whole.getType()).getShape(), 0))
    return tensor::CastOp::create(builder_, loc, type, whole);
  llvm::SmallVector<mlir::OpFoldResult> from(sizes.size(), builder_.getIndexAttr(0)),
      step(sizes.size(), builder_.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder_, loc, type, whole, from, sizes, step);
}

void MethodLowering::LowerNode(const dsl::Extern& call, const dsl::Statement& statement) {
  llvm::SmallVector<Value> inputs, sizes, bounds;
  llvm::SmallVector<mlir::Attribute> elements, names;
  llvm::SmallVector<mlir::Type> results;
  llvm::SmallVector<bool> ranged;
  auto add_element = [&](dsl::TensorId tensor) {
    absl::string_view word = TypeName(method_.tensors[tensor].element);
    elements.push_back(builder_.getStringAttr(llvm::StringRef(word.data(), word.size())));
  };
  for (dsl::TensorId input : call.inputs) {
    inputs.push_back(scope_.tensors.at(input));
    add_element(input);
  }
  for (const dsl::Extern::Result& result : call.results) {
    results.push_back(TypeOf(result.tensor));
    add_element(result.tensor);
    names.push_back(builder_.getStringAttr(method_.tensors[result.tensor].name));
    for (const Size& size : method_.tensors[result.tensor].shape)
      if (!size.AsInteger()) sizes.push_back(sizes_->LowerToValue(size));
    ranged.push_back(result.range.has_value());
    if (!result.range) continue;
    bounds.push_back(sizes_->LowerToValue(result.range->first));
    bounds.push_back(sizes_->LowerToValue(result.range->second));
  }
  auto op = ir::ExternOp::create(builder_, LocationOf(statement), results, builder_.getStringAttr(call.name),
                                 inputs, sizes, bounds, builder_.getArrayAttr(elements),
                                 builder_.getArrayAttr(names), builder_.getDenseBoolArrayAttr(ranged));
  for (auto [result, value] : llvm::zip_equal(call.results, op.getResults()))
    scope_.tensors[result.tensor] = value;
}

void MethodLowering::LowerNode(const dsl::Parallel& parallel, const dsl::Statement& statement) {
  llvm::SmallVector<mlir::OpFoldResult> extents;
  llvm::SmallVector<llvm::StringRef> names;
  for (const dsl::Domain& index : parallel.domain) {
    extents.push_back(sizes_->Lower(index.extent));
    names.push_back(index.name);
  }
  llvm::SmallVector<mlir::Type> types;
  for (const dsl::Parallel::Yield& yield : parallel.yields) types.push_back(TypeOf(yield.outer));
  Location loc = LocationOf(statement);
  auto op = ir::LoopOp::create(builder_, loc, types, extents, names,
                               [&](OpBuilder& inner, Location, mlir::ValueRange indices) {
                                 EnterDomain(parallel.domain, indices);
                                 OpBuilder outside = builder_;
                                 builder_ = inner;
                                 for (const dsl::Statement& step : parallel.body) Lower(step);
                                 llvm::SmallVector<Value> rows;
                                 for (const dsl::Parallel::Yield& yield : parallel.yields) {
                                   rows.push_back(scope_.tensors.at(yield.inner));
                                 }
                                 ir::YieldOp::create(builder_, loc, rows);
                                 builder_ = outside;
                               });
  for (auto [yield, value] : llvm::zip_equal(parallel.yields, op.getResults())) {
    scope_.tensors[yield.outer] = value;
  }
}

// A body that runs or does not is a loop of one step or of none, of which the last slice is kept. The second
// one begins with what the first has made, and leaves it as it is where it makes no step.
void MethodLowering::LowerNode(const dsl::Branch& branch, const dsl::Statement& statement) {
  Location loc = LocationOf(statement);
  auto number = mlir::RankedTensorType::get({}, builder_.getI64Type());
  Value condition = scope_.tensors.at(branch.condition);
  auto count = ir::EquationOp::create(
      builder_, loc, {number}, {}, {}, statement.path, [&](OpBuilder& inner, Location, mlir::ValueRange) {
        Value holds = ir::ReadOp::create(inner, loc, condition, {}, {}, Value());
        Value as_number = arith::ExtUIOp::create(inner, loc, inner.getI64Type(), holds);
        ir::YieldOp::create(inner, loc, as_number);
      });
  Value taken = ir::FoundOp::create(builder_, loc, builder_.getIndexType(), count->getResult(0));
  Value one = arith::ConstantIndexOp::create(builder_, loc, 1);
  Value left = arith::SubIOp::create(builder_, loc, one, taken);
  mlir::RankedTensorType type = TypeOf(branch.result);
  llvm::SmallVector<Value> sizes;
  for (const Size& size : method_.tensors[branch.result].shape)
    if (!size.AsInteger()) sizes.push_back(sizes_->LowerToValue(size));
  auto run = [&](Value steps, llvm::StringRef name, mlir::ValueRange from,
                 const std::vector<dsl::Statement>& body, dsl::TensorId yielded) -> Value {
    ir::LoopStates states{{.given = static_cast<int64_t>(from.size()), .keep = ir::Keep::kLast}};
    states.Number();
    auto op = ir::LoopOp::create(builder_, loc, {type}, ir::LoopOrder::up, steps, name, {}, from, sizes,
                                 states, [&](OpBuilder& inner, Location, mlir::ValueRange) {
                                   OpBuilder outside = builder_;
                                   builder_ = inner;
                                   for (const dsl::Statement& step : body) Lower(step);
                                   ir::YieldOp::create(builder_, loc, scope_.tensors.at(yielded));
                                   builder_ = outside;
                                 });
    op->setAttr(ir::kSide, builder_.getUnitAttr());
    return op.getResult(0);
  };
  Value first = run(taken, "then", {}, branch.then, branch.of_then);
  scope_.tensors[branch.result] = run(left, "else", first, branch.otherwise, branch.of_otherwise);
}

void MethodLowering::LowerNode(const dsl::Recurrence& recurrence, const dsl::Statement& statement) {
  ir::LoopStates states;
  llvm::SmallVector<mlir::Type> results, arguments;
  llvm::SmallVector<Value> from, sizes;
  for (const dsl::Recurrence::State& state : recurrence.states) {
    states.push_back({static_cast<int64_t>(state.given.size()), static_cast<int64_t>(state.window.size()),
                      state.history >= 0, state.keeps_last ? ir::Keep::kLast : ir::Keep::kAll});
    const dsl::Tensor& slice = method_.tensors[state.slice];
    std::vector<Size> room{recurrence.index.extent};
    room.insert(room.end(), slice.shape.begin(), slice.shape.end());
    results.push_back(state.keeps_last ? TypeOf(state.result) : TensorType(builder_, slice.element, room));
    for (dsl::TensorId given : state.given) from.push_back(scope_.tensors.at(given));
    for (dsl::TensorId window : state.window) arguments.push_back(TypeOf(window));
    if (state.history >= 0) arguments.push_back(TypeOf(state.history));
    for (const Size& size : slice.shape)
      if (!size.AsInteger()) sizes.push_back(sizes_->LowerToValue(size));
  }
  bool ends_early = recurrence.stop >= 0;
  if (ends_early) {
    states.push_back({.keep = ir::Keep::kNone});
    results.push_back(mlir::RankedTensorType::get({}, builder_.getI64Type()));
  }
  states.Number();
  for (auto [inside, outside] : recurrence.unchanged) scope_.tensors[inside] = scope_.tensors.at(outside);
  Location loc = LocationOf(statement);
  auto body = [&](OpBuilder& inner, Location, mlir::ValueRange values) {
    EnterDomain({recurrence.index}, values.take_front(1));
    for (auto [state, place] : llvm::zip(recurrence.states, states)) {
      mlir::ValueRange own = values.drop_front(1 + place.first_argument);
      for (size_t i = 0; i < state.window.size(); ++i) scope_.tensors[state.window[i]] = own[i];
      if (state.history >= 0) scope_.tensors[state.history] = own[state.window.size()];
    }
    OpBuilder outside = builder_;
    builder_ = inner;
    for (const dsl::Statement& step : recurrence.body) Lower(step);
    llvm::SmallVector<Value> slices;
    for (const dsl::Recurrence::State& state : recurrence.states)
      slices.push_back(scope_.tensors.at(state.slice));
    if (ends_early) slices.push_back(scope_.tensors.at(recurrence.stop));
    ir::YieldOp::create(builder_, loc, slices);
    builder_ = outside;
  };
  auto op = ir::LoopOp::create(
      builder_, loc, results, recurrence.is_downward ? ir::LoopOrder::down : ir::LoopOrder::up,
      sizes_->Lower(recurrence.index.extent), recurrence.index.name, arguments, from, sizes, states, body);
  if (ends_early) ir::EndEarly(op);
  for (auto [state, value] : llvm::zip(recurrence.states, op.getResults()))
    scope_.tensors[state.result] = value;
  if (recurrence.count >= 0) {
    scope_.tensors[recurrence.count] = ir::StepCount(op);
  } else if (ends_early) {
    CutToFound(recurrence, ir::StepCount(op), loc);
  }
}

// Room for all steps, then the beginning of it for those that were made.
void MethodLowering::CutToFound(const dsl::Recurrence& recurrence, Value count, Location loc) {
  BindFound(recurrence.size, count, loc);
  for (const dsl::Recurrence::State& state : recurrence.states) {
    if (state.keeps_last) continue;
    llvm::SmallVector<mlir::OpFoldResult> sizes;
    for (const Size& size : method_.tensors[state.result].shape) sizes.push_back(sizes_->Lower(size));
    Value& value = scope_.tensors[state.result];
    value = BeginningOf(value, TypeOf(state.result), sizes, loc);
  }
}

// What was found is a size from here on.
Value MethodLowering::BindFound(int symbol, Value count, Location loc) {
  Value size = ir::FoundOp::create(builder_, loc, builder_.getIndexType(), count);
  markers_.push_back(arith::ConstantIndexOp::create(builder_, loc, 0));
  sizes_->BindFound(symbol, size, OpBuilder(markers_.back()));
  return size;
}

}  // namespace

mlir::OwningOpRef<mlir::ModuleOp> Lower(const dsl::Program& program, const dsl::SourceManager& sources,
                                        mlir::MLIRContext& context) {
  context.loadDialect<ir::WeftDialect, arith::ArithDialect, func::FuncDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect, tensor::TensorDialect>();
  mlir::Builder builder(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(builder.getUnknownLoc());
  (*module)->setAttr("weft.file", builder.getStringAttr(program.file));
  (*module)->setAttr("weft.entry", builder.getStringAttr(program.entry));
  llvm::SmallVector<mlir::Attribute> dimensions;
  for (const dsl::Dimension& dimension : program.dimensions) {
    dimensions.push_back(builder.getDictionaryAttr({
        builder.getNamedAttr("name", builder.getStringAttr(dimension.name)),
        builder.getNamedAttr("lo", builder.getI64IntegerAttr(dimension.lo)),
        builder.getNamedAttr("hi", builder.getI64IntegerAttr(dimension.hi)),
        builder.getNamedAttr("step", builder.getI64IntegerAttr(dimension.step)),
        builder.getNamedAttr("hot", builder.getI64ArrayAttr(dimension.hot)),
    }));
  }
  (*module)->setAttr("weft.dims", builder.getArrayAttr(dimensions));
  for (const dsl::Method& method : program.methods)
    MethodLowering(program, method, sources, context).Run(*module);
  for (size_t number = 0; number < program.methods.size(); ++number) {
    for (const auto& [variant, sizes] : VariantsOf(program, number)) {
      ir::MarkVariant(MethodLowering(*variant, variant->methods[number], sources, context).Run(*module),
                      sizes);
    }
  }
  for (const dsl::Method& method : program.initial_values) {
    func::FuncOp function = MethodLowering(program, method, sources, context).Run(*module);
    function->setAttr("weft.initial", builder.getUnitAttr());
  }
  return module;
}

}  // namespace weft::lower
