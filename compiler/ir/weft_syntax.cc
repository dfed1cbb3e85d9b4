// Builders, printers and parsers of the ops with regions.

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/FunctionImplementation.h"

namespace weft::ir {
namespace {

using mlir::Block;
using mlir::OpAsmParser;
using mlir::OpAsmPrinter;
using mlir::OpBuilder;
using mlir::OperationState;
using mlir::OpFoldResult;
using mlir::ParseResult;
using mlir::SmallVector;
using mlir::Value;

using BodyFunction = llvm::function_ref<void(OpBuilder&, mlir::Location, mlir::ValueRange)>;

constexpr llvm::StringLiteral kOutsideWords[] = {"inside", "fill", "clamp", "mirror", "wrap"};

void BuildBody(OpBuilder& builder, OperationState& state, size_t indices, BodyFunction body) {
  mlir::Region* region = state.addRegion();
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<mlir::Type> types(indices, builder.getIndexType());
  SmallVector<mlir::Location> locations(indices, state.location);
  Block* block = builder.createBlock(region, {}, types, locations);
  if (body) body(builder, state.location, block->getArguments());
}

void PrintIndices(OpAsmPrinter& printer, mlir::Region& body) {
  printer << "(";
  llvm::interleaveComma(body.getArguments(), printer, [&](Value argument) { printer << argument; });
  printer << ")";
}

void PrintExtents(OpAsmPrinter& printer, llvm::ArrayRef<OpFoldResult> extents) {
  printer << " in (";
  llvm::interleaveComma(extents, printer, [&](OpFoldResult extent) {
    if (auto number = mlir::getConstantIntValue(extent); number && mlir::isa<mlir::Attribute>(extent)) {
      printer << *number;
    } else {
      printer << mlir::cast<Value>(extent);
    }
  });
  printer << ")";
}

void PrintNames(OpAsmPrinter& printer, mlir::ArrayAttr names) {
  printer << " names ";
  printer.printAttribute(names);
}

ParseResult ParseIndices(OpAsmParser& parser, SmallVector<OpAsmParser::Argument>& indices) {
  if (parser.parseArgumentList(indices, OpAsmParser::Delimiter::Paren)) return mlir::failure();
  for (OpAsmParser::Argument& index : indices) index.type = parser.getBuilder().getIndexType();
  return mlir::success();
}

// `in (1, %h)`, resolved into operands and the attribute `static_extents`.
ParseResult ParseExtents(OpAsmParser& parser, OperationState& state) {
  SmallVector<int64_t> numbers;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  auto parse_extent = [&]() -> ParseResult {
    int64_t number;
    mlir::OptionalParseResult parsed = parser.parseOptionalInteger(number);
    if (parsed.has_value()) {
      if (mlir::failed(*parsed)) return mlir::failure();
      if (number < 0) return parser.emitError(parser.getCurrentLocation(), "an extent is negative");
      numbers.push_back(number);
      return mlir::success();
    }
    numbers.push_back(mlir::ShapedType::kDynamic);
    return parser.parseOperand(operands.emplace_back());
  };
  if (parser.parseKeyword("in") ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parse_extent) ||
      parser.resolveOperands(operands, parser.getBuilder().getIndexType(), state.operands))
    return mlir::failure();
  state.addAttribute("static_extents", parser.getBuilder().getDenseI64ArrayAttr(numbers));
  return mlir::success();
}

ParseResult ParseNames(OpAsmParser& parser, OperationState& state) {
  mlir::ArrayAttr names;
  return mlir::failure(parser.parseKeyword("names") ||
                       parser.parseAttribute(names, "names", state.attributes));
}

void AddExtents(OpBuilder& builder, OperationState& state, llvm::ArrayRef<OpFoldResult> extents) {
  SmallVector<Value> values;
  SmallVector<int64_t> numbers;
  mlir::dispatchIndexOpFoldResults(extents, values, numbers);
  state.addOperands(values);
  state.addAttribute("static_extents", builder.getDenseI64ArrayAttr(numbers));
}

}  // namespace

SmallVector<OpFoldResult> EquationOp::getMixedExtents() {
  return mlir::getMixedValues(getStaticExtents(), getExtents(), getContext());
}

void EquationOp::build(OpBuilder& builder, OperationState& state, mlir::TypeRange types,
                       llvm::ArrayRef<OpFoldResult> extents, llvm::ArrayRef<llvm::StringRef> names,
                       llvm::StringRef path, BodyFunction body) {
  AddExtents(builder, state, extents);
  state.addAttribute("names", builder.getStrArrayAttr(names));
  if (!path.empty()) state.addAttribute("path", builder.getStringAttr(path));
  state.addTypes(types);
  BuildBody(builder, state, extents.size(), body);
}

void EquationOp::print(OpAsmPrinter& printer) {
  printer << " ";
  PrintIndices(printer, getBody());
  PrintExtents(printer, getMixedExtents());
  PrintNames(printer, getNames());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"static_extents", "names"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  printer << " : ";
  llvm::interleaveComma(getResultTypes(), printer);
}

ParseResult EquationOp::parse(OpAsmParser& parser, OperationState& state) {
  SmallVector<OpAsmParser::Argument> indices;
  mlir::Region* body = state.addRegion();
  return mlir::failure(ParseIndices(parser, indices) || ParseExtents(parser, state) ||
                       ParseNames(parser, state) ||
                       parser.parseOptionalAttrDictWithKeyword(state.attributes) ||
                       parser.parseRegion(*body, indices) || parser.parseColonTypeList(state.types));
}

void ReduceOp::build(OpBuilder& builder, OperationState& state, mlir::Type type, ReduceKind kind,
                     mlir::ValueRange lower, mlir::ValueRange upper, llvm::ArrayRef<llvm::StringRef> names,
                     Value if_empty, BodyFunction body) {
  state.addOperands(lower);
  state.addOperands(upper);
  if (if_empty) state.addOperands(if_empty);
  state.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr({static_cast<int32_t>(lower.size()),
                                                   static_cast<int32_t>(upper.size()), if_empty ? 1 : 0}));
  state.addAttribute("kind", ReduceKindAttr::get(builder.getContext(), kind));
  state.addAttribute("names", builder.getStrArrayAttr(names));
  state.addTypes(type);
  BuildBody(builder, state, lower.size(), body);
}

void ReduceOp::print(OpAsmPrinter& printer) {
  printer << " " << stringifyReduceKind(getKind()) << " ";
  PrintIndices(printer, getBody());
  printer << " from (" << getLower() << ") to (" << getUpper() << ")";
  PrintNames(printer, getNames());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"operandSegmentSizes", "kind", "names"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  if (getIfEmpty()) printer << " else " << getIfEmpty();
  printer << " : " << getType();
}

ParseResult ReduceOp::parse(OpAsmParser& parser, OperationState& state) {
  mlir::Builder& builder = parser.getBuilder();
  llvm::StringRef word;
  llvm::SMLoc word_place = parser.getCurrentLocation();
  SmallVector<OpAsmParser::Argument> indices;
  SmallVector<OpAsmParser::UnresolvedOperand> lower, upper, if_empty;
  mlir::Region* body = state.addRegion();
  mlir::Type type;
  if (parser.parseKeyword(&word)) return mlir::failure();
  std::optional<ReduceKind> kind = symbolizeReduceKind(word);
  if (!kind) return parser.emitError(word_place, "unknown kind of reduction: ") << word;
  state.addAttribute("kind", ReduceKindAttr::get(builder.getContext(), *kind));
  if (ParseIndices(parser, indices) || parser.parseKeyword("from") ||
      parser.parseOperandList(lower, OpAsmParser::Delimiter::Paren) || parser.parseKeyword("to") ||
      parser.parseOperandList(upper, OpAsmParser::Delimiter::Paren) || ParseNames(parser, state) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes) || parser.parseRegion(*body, indices))
    return mlir::failure();
  if (mlir::succeeded(parser.parseOptionalKeyword("else")) && parser.parseOperand(if_empty.emplace_back()))
    return mlir::failure();
  if (parser.parseColonType(type) || parser.resolveOperands(lower, builder.getIndexType(), state.operands) ||
      parser.resolveOperands(upper, builder.getIndexType(), state.operands) ||
      parser.resolveOperands(if_empty, type, state.operands))
    return mlir::failure();
  state.addAttribute(
      "operandSegmentSizes",
      builder.getDenseI32ArrayAttr({static_cast<int32_t>(lower.size()), static_cast<int32_t>(upper.size()),
                                    static_cast<int32_t>(if_empty.size())}));
  state.addTypes(type);
  return mlir::success();
}

void ReadOp::build(OpBuilder& builder, OperationState& state, Value tensor, mlir::ValueRange subscripts,
                   llvm::ArrayRef<Outside> outside, Value fill) {
  state.addOperands(tensor);
  state.addOperands(subscripts);
  if (fill) state.addOperands(fill);
  state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(
                                                {1, static_cast<int32_t>(subscripts.size()), fill ? 1 : 0}));
  SmallVector<int32_t> words =
      llvm::map_to_vector(outside, [](Outside o) { return static_cast<int32_t>(o); });
  words.resize(subscripts.size(), static_cast<int32_t>(Outside::inside));
  state.addAttribute("outside", builder.getDenseI32ArrayAttr(words));
  state.addTypes(mlir::cast<mlir::RankedTensorType>(tensor.getType()).getElementType());
}

void ReadOp::print(OpAsmPrinter& printer) {
  printer << " " << getTensor() << "[" << getSubscripts() << "]";
  if (llvm::any_of(getOutside(), [](int32_t word) { return word != 0; })) {
    printer << " outside [";
    llvm::interleaveComma(getOutside(), printer, [&](int32_t word) { printer << kOutsideWords[word]; });
    printer << "]";
  }
  if (getFill()) printer << " else " << getFill();
  printer.printOptionalAttrDict((*this)->getAttrs(), {"operandSegmentSizes", "outside"});
  printer << " : " << getTensor().getType() << " -> " << getType();
}

ParseResult ReadOp::parse(OpAsmParser& parser, OperationState& state) {
  mlir::Builder& builder = parser.getBuilder();
  OpAsmParser::UnresolvedOperand tensor;
  SmallVector<OpAsmParser::UnresolvedOperand> subscripts, fill;
  SmallVector<int32_t> words;
  mlir::Type tensor_type, type;
  auto parse_word = [&]() -> ParseResult {
    llvm::StringRef word;
    llvm::SMLoc place = parser.getCurrentLocation();
    if (parser.parseKeyword(&word)) return mlir::failure();
    const auto* found = llvm::find(kOutsideWords, word);
    if (found == std::end(kOutsideWords))
      return parser.emitError(place, "unknown word after `outside`: ") << word;
    words.push_back(found - std::begin(kOutsideWords));
    return mlir::success();
  };
  if (parser.parseOperand(tensor) || parser.parseOperandList(subscripts, OpAsmParser::Delimiter::Square))
    return mlir::failure();
  if (mlir::succeeded(parser.parseOptionalKeyword("outside"))) {
    if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parse_word)) return mlir::failure();
  } else {
    words.assign(subscripts.size(), 0);
  }
  if (mlir::succeeded(parser.parseOptionalKeyword("else")) && parser.parseOperand(fill.emplace_back()))
    return mlir::failure();
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(tensor_type) ||
      parser.parseArrow() || parser.parseType(type) ||
      parser.resolveOperand(tensor, tensor_type, state.operands) ||
      parser.resolveOperands(subscripts, builder.getIndexType(), state.operands) ||
      parser.resolveOperands(fill, type, state.operands))
    return mlir::failure();
  state.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr(
                         {1, static_cast<int32_t>(subscripts.size()), static_cast<int32_t>(fill.size())}));
  state.addAttribute("outside", builder.getDenseI32ArrayAttr(words));
  state.addTypes(type);
  return mlir::success();
}

SmallVector<OpFoldResult> LoopOp::getMixedExtents() {
  return mlir::getMixedValues(getStaticExtents(), getExtents(), getContext());
}

namespace {

void SetLoopSegments(OpBuilder& builder, OperationState& state, size_t extents, size_t from, size_t sizes) {
  state.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr({static_cast<int32_t>(extents), static_cast<int32_t>(from),
                                                   static_cast<int32_t>(sizes)}));
}

}  // namespace

void LoopOp::build(OpBuilder& builder, OperationState& state, mlir::TypeRange types,
                   llvm::ArrayRef<OpFoldResult> extents, llvm::ArrayRef<llvm::StringRef> names,
                   BodyFunction body) {
  AddExtents(builder, state, extents);
  SetLoopSegments(builder, state, state.operands.size(), 0, 0);
  state.addAttribute("order", LoopOrderAttr::get(builder.getContext(), LoopOrder::parallel));
  state.addAttribute("names", builder.getStrArrayAttr(names));
  state.addTypes(types);
  BuildBody(builder, state, extents.size(), body);
}

void LoopOp::build(OpBuilder& builder, OperationState& state, mlir::TypeRange types, LoopOrder order,
                   OpFoldResult extent, llvm::StringRef name, mlir::TypeRange state_types,
                   mlir::ValueRange from, mlir::ValueRange sizes, const LoopStates& states,
                   BodyFunction body) {
  AddExtents(builder, state, extent);
  SetLoopSegments(builder, state, state.operands.size(), from.size(), sizes.size());
  state.addOperands(from);
  state.addOperands(sizes);
  state.addAttribute("order", LoopOrderAttr::get(builder.getContext(), order));
  state.addAttribute("names", builder.getStrArrayAttr({name}));
  WriteStates(builder, states, state.attributes);
  state.addTypes(types);
  mlir::Region* region = state.addRegion();
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<mlir::Type> arguments{builder.getIndexType()};
  llvm::append_range(arguments, state_types);
  SmallVector<mlir::Location> locations(arguments.size(), state.location);
  Block* block = builder.createBlock(region, {}, arguments, locations);
  if (body) body(builder, state.location, block->getArguments());
}

void LoopOp::print(OpAsmPrinter& printer) {
  printer << " " << stringifyLoopOrder(getOrder()) << " (";
  llvm::ArrayRef<mlir::BlockArgument> arguments = getBody().getArguments();
  size_t indices = std::min(getStaticExtents().size(), arguments.size());
  llvm::interleaveComma(arguments.take_front(indices), printer, [&](Value argument) { printer << argument; });
  printer << ")";
  PrintExtents(printer, getMixedExtents());
  PrintNames(printer, getNames());
  if (arguments.size() > indices) {
    printer << " state (";
    llvm::interleaveComma(arguments.drop_front(indices), printer,
                          [&](mlir::BlockArgument argument) { printer.printRegionArgument(argument); });
    printer << ")";
  }
  if (!getFrom().empty()) printer << " from (" << getFrom() << " : " << getFrom().getTypes() << ")";
  if (!getSizes().empty()) printer << " sizes (" << getSizes() << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {"static_extents", "names", "order", "operandSegmentSizes"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  if (getNumResults() == 0) return;
  printer << " : ";
  llvm::interleaveComma(getResultTypes(), printer);
}

ParseResult LoopOp::parse(OpAsmParser& parser, OperationState& state) {
  OpBuilder builder(parser.getContext());
  llvm::StringRef word;
  llvm::SMLoc place = parser.getCurrentLocation();
  if (parser.parseKeyword(&word)) return mlir::failure();
  std::optional<LoopOrder> order = symbolizeLoopOrder(word);
  if (!order) return parser.emitError(place, "unknown order of a loop: ") << word;
  state.addAttribute("order", LoopOrderAttr::get(parser.getContext(), *order));
  SmallVector<OpAsmParser::Argument> arguments, states;
  SmallVector<OpAsmParser::UnresolvedOperand> from, sizes;
  SmallVector<mlir::Type> from_types;
  mlir::Region* body = state.addRegion();
  if (ParseIndices(parser, arguments) || ParseExtents(parser, state) || ParseNames(parser, state))
    return mlir::failure();
  size_t extents = state.operands.size();
  if (mlir::succeeded(parser.parseOptionalKeyword("state")) &&
      parser.parseArgumentList(states, OpAsmParser::Delimiter::Paren, /*allowType=*/true))
    return mlir::failure();
  llvm::append_range(arguments, states);
  llvm::SMLoc from_place = parser.getCurrentLocation();
  if (mlir::succeeded(parser.parseOptionalKeyword("from")) &&
      (parser.parseLParen() || parser.parseOperandList(from) || parser.parseColonTypeList(from_types) ||
       parser.parseRParen()))
    return mlir::failure();
  if (mlir::succeeded(parser.parseOptionalKeyword("sizes")) &&
      parser.parseOperandList(sizes, OpAsmParser::Delimiter::Paren))
    return mlir::failure();
  if (parser.resolveOperands(from, from_types, from_place, state.operands) ||
      parser.resolveOperands(sizes, builder.getIndexType(), state.operands))
    return mlir::failure();
  SetLoopSegments(builder, state, extents, from.size(), sizes.size());
  if (parser.parseOptionalAttrDictWithKeyword(state.attributes) || parser.parseRegion(*body, arguments))
    return mlir::failure();
  return parser.parseOptionalColonTypeList(state.types);
}

void KernelOp::print(OpAsmPrinter& printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  printer.printOptionalAttrDict((*this)->getAttrs(), {"sym_name", "function_type"});
  printer << " (";
  llvm::interleaveComma(getBody().getArguments(), printer,
                        [&](mlir::BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ") -> (";
  llvm::interleaveComma(getFunctionType().getResults(), printer);
  printer << ") ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

ParseResult KernelOp::parse(OpAsmParser& parser, OperationState& state) {
  mlir::StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<mlir::Type> results;
  if (parser.parseSymbolName(name, "sym_name", state.attributes) ||
      parser.parseOptionalAttrDict(state.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseArrow() || parser.parseLParen())
    return mlir::failure();
  if (mlir::failed(parser.parseOptionalRParen()) && (parser.parseTypeList(results) || parser.parseRParen()))
    return mlir::failure();
  SmallVector<mlir::Type> types =
      llvm::map_to_vector(arguments, [](const OpAsmParser::Argument& argument) { return argument.type; });
  state.addAttribute("function_type",
                     mlir::TypeAttr::get(parser.getBuilder().getFunctionType(types, results)));
  return parser.parseRegion(*state.addRegion(), arguments);
}

}  // namespace weft::ir
