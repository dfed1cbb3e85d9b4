// Binding what a call gives to what a declaration names: dimensions from shapes, attributes, constraints (R4,
// R37).

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

// So many calls inside each other are worked out in the words of each caller, for what it gave. Without an
// end to that, a chain of ops would take the square of its length.
constexpr size_t kWorkedOutAgain = 8;

std::string Plural(size_t count, const char* noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

// One that is reached twice is looked at once.
bool HasOnlySizes(const Expr& expr, std::set<const Expr*>& seen) {
  if (!seen.insert(&expr).second) return true;
  if (const auto* apply = std::get_if<Apply>(&expr.node)) {
    return std::all_of(apply->operands.begin(), apply->operands.end(),
                       [&](const ExprPtr& operand) { return HasOnlySizes(*operand, seen); });
  }
  if (const auto* cast = std::get_if<Cast>(&expr.node)) return HasOnlySizes(*cast->operand, seen);
  return std::holds_alternative<Literal>(expr.node) || std::holds_alternative<SizeValue>(expr.node);
}

}  // namespace

bool Elaborator::IsOfSizes(const Expr& expr) {
  std::set<const Expr*> seen;
  return HasOnlySizes(expr, seen);
}

// Dimensions that stand alone are bound; all other sizes wait until every parameter is there.
bool Elaborator::BindShape(const ast::NamedType& type, const std::vector<Size>& shape, Span span,
                           const std::string& what, Frame& frame) {
  size_t packs = std::count_if(type.sizes.begin(), type.sizes.end(),
                               [](const ast::SizeExpr& s) { return s.kind == ast::SizeExpr::Kind::kPack; });
  size_t plain = type.sizes.size() - packs;
  if (packs > 1) {
    Report(type.sizes[0].span, kInvalidExpression, "a shape has at most one `..`");
    return false;
  }
  if (packs ? shape.size() < plain : shape.size() != plain) {
    Report(span, kRankMismatch, what,
           absl::StrCat(Plural(shape.size(), shape.size() == 1 ? "axis" : "axe"), " ", ShapeText(shape)),
           absl::StrCat(packs ? "at least " : "", plain, " expected"))
        .Note(type.path.span, "declared here");
    return false;
  }
  size_t axis = 0;
  for (const ast::SizeExpr& size : type.sizes) {
    if (size.kind == ast::SizeExpr::Kind::kPack) {
      std::vector<Size> extents(shape.begin() + axis, shape.begin() + axis + (shape.size() - plain));
      axis += extents.size();
      auto [pack, is_new] = frame.size_packs.try_emplace(size.name.text, extents);
      if (is_new) continue;
      if (pack->second.size() != extents.size()) {
        Report(span, kRankMismatch, what,
               absl::StrCat(Plural(extents.size(), "axe"), " for `..", size.name.text, "`"),
               absl::StrCat(pack->second.size(), " before"));
        return false;
      }
      for (size_t i = 0; i < extents.size(); ++i) {
        if (!RequireEqual(extents[i], pack->second[i], span,
                          absl::StrCat(what, ", `..", size.name.text, "`")))
          return false;
      }
      continue;
    }
    const Size& extent = shape[axis++];
    if (size.kind == ast::SizeExpr::Kind::kFound) {
      Unsupported(size.span, "a size that only the data knows");
      return false;
    }
    const auto* name = size.size->As<ast::Ref>();
    if (name && name->name == "_") continue;
    bool is_dimension =
        name && !name->name.empty() && std::isupper(static_cast<unsigned char>(name->name[0]));
    bool known = name && (frame.scopes[0].contains(name->name) ||
                          (frame.self && frame.self->members.contains(name->name)));
    if (is_dimension && !known) {
      Binding binding;
      binding.value = extent;
      binding.span = size.span;
      frame.scopes[0][name->name] = std::move(binding);
      continue;
    }
    frame.open_shapes.push_back({&size, extent, span, absl::StrCat("axis ", axis - 1, " of ", what), shape});
  }
  return true;
}

// The sizes that were left for when everything is bound. The frame must be the current one.
bool Elaborator::CheckShapes(Frame& frame) {
  int before = diagnostics_.errors_found();
  std::vector<Frame::OpenShape> open;
  std::swap(open, frame.open_shapes);
  for (const Frame::OpenShape& shape : open) {
    if (!CheckDimensions(*shape.size->size)) continue;
    Value value = Eval(*shape.size->size);
    if (value.IsPoison()) continue;
    std::optional<Size> size = AsSize(value, shape.size->span, "what stands in a shape");
    if (size) RequireDeclared(shape, *size, frame);
  }
  return diagnostics_.errors_found() == before;
}

// A model that was given a wrong number is wrong wherever it is called, but that is one mistake.
bool Elaborator::IsToldFirst(const std::string& problem) {
  if (!frame_->self || told_.insert({frame_->self->number, problem}).second) return true;
  diagnostics_.CountRepeated();
  return false;
}

// An axis of what is given has the size that is declared for it.
void Elaborator::RequireDeclared(const Frame::OpenShape& given, const Size& size, const Frame& frame) {
  std::string declared(sources_.Text(given.size->span));
  std::string what = absl::StrCat(given.what, " must be `", declared, "`");
  if (Compare(given.actual, size) != Comparison::kDifferent) {
    RequireEqual(given.actual, size, given.span, what);
    return;
  }
  std::string problem =
      absl::StrCat(sources_.Place(given.size->span), " ", given.actual.ToString(), " ", size.ToString());
  if (frame.self && !IsToldFirst(problem)) return;
  DiagnosticBuilder builder =
      Report(given.span, kSizeMismatch, what, given.actual.ToString(), size.ToString());
  builder.Label(given.span, absl::StrCat("a tensor ", ShapeText(given.shape)));
  builder.Note(given.size->span, absl::StrCat("`", declared, "` is declared here"));
  NoteSize(builder, *given.size->size);
  NoteDefinition(builder, given.span);
}

// The ranges of ints, which may name whatever is bound. The frame must be the current one.
bool Elaborator::CheckRanges(Frame& frame) {
  int before = diagnostics_.errors_found();
  std::vector<Frame::OpenRange> open;
  std::swap(open, frame.open_ranges);
  for (const Frame::OpenRange& given : open) {
    const auto* list = given.param->type->As<ast::ListType>();
    const auto& type = *(list ? list->element : given.param->type)->As<ast::NamedType>();
    std::optional<std::pair<Size, Size>> range = EvalRange(*type.range);
    if (!range) continue;
    const std::string& name = given.param->name.text;
    Value& value = frame.scopes[0][name].value;
    if (const auto* elements = value.As<std::shared_ptr<ListValue>>()) {
      for (const Value& element : (*elements)->elements)
        RequireRange(element, *range, given.span, absl::StrCat("an element of `", name, "`"),
                     given.param->span);
      continue;
    }
    bool inside = RequireRange(value, *range, given.span, absl::StrCat("`", name, "`"), given.param->span);
    // The body goes by the declaration where the value itself says less, or is wrong, or only an instance
    // knows it.
    if (const Scalar* scalar = value.As<Scalar>(); scalar && (!inside || generic_ || !scalar->form)) {
      value = Unknown(name, ElementType::kInt, scalar->expr, range->first, range->second);
    } else if (const TensorPtr* tensor = value.As<TensorPtr>(); tensor && (!inside || generic_)) {
      auto ranged = std::make_shared<TensorValue>(**tensor);
      ranged->range = range;
      value = TensorPtr(ranged);
    }
  }
  return diagnostics_.errors_found() == before;
}

bool Elaborator::BindData(const ast::Param& param, const Value& value, Span span, Frame& frame) {
  std::string what = absl::StrCat("`", param.name.text, "`");
  auto bind = [&](Value bound) {
    Binding binding;
    binding.value = std::move(bound);
    binding.span = param.name.span;
    binding.never_absent = !param.optional;
    frame.scopes[0][param.name.text] = std::move(binding);
    return true;
  };
  if (value.IsAbsent()) {
    if (param.optional) return bind(value);
    Report(span, kMissingArgument, frame.subject, absl::StrCat("`", param.name.text, "`"));
    return false;
  }
  if (value.IsPoison()) {
    bind(Poison{});
    return true;
  }
  if (const auto* list_type = param.type->As<ast::ListType>()) {
    const auto* list = value.As<std::shared_ptr<ListValue>>();
    if (!list) {
      Report(span, kTypeMismatch, absl::StrCat(what, " is a list, not ", Describe(value)));
      return false;
    }
    if (list_type->count) {
      const auto* name = list_type->count->As<ast::Ref>();
      Size length(static_cast<int64_t>((*list)->elements.size()));
      if (name && !frame.scopes[0].contains(name->name) &&
          std::isupper(static_cast<unsigned char>(name->name[0]))) {
        Binding binding;
        binding.value = length;
        binding.span = list_type->count->span;
        frame.scopes[0][name->name] = std::move(binding);
      } else {
        FrameScope scope(*this, frame);
        std::optional<Size> count =
            AsSize(Eval(*list_type->count), list_type->count->span, "the length of a list");
        if (count)
          RequireEqual(length, *count, span, absl::StrCat("the length of ", what), list_type->count->span);
      }
    }
    auto bound = std::make_shared<ListValue>();
    const auto* element_type = list_type->element->As<ast::NamedType>();
    for (const Value& element : (*list)->elements) {
      std::optional<Value> converted = element;
      if (element_type) converted = AsParameter(param, *element_type, element, span, frame);
      if (!converted) return false;
      bound->elements.push_back(*converted);
    }
    return bind(bound);
  }
  if (IsRecordType(param.type)) {
    FrameScope scope(*this, frame);
    DeclaredType declared = EvalType(*param.type);
    if (!declared.record) return bind(Poison{});
    Value record = AsRecord(declared, value, param.name.text, span);
    return !record.IsPoison() && bind(record);
  }
  std::optional<Value> converted = AsParameter(param, *param.type->As<ast::NamedType>(), value, span, frame);
  return converted && bind(*converted);
}

// A value as the declared type of a parameter, or of the elements of its list, wants it; its dimensions are
// bound.
std::optional<Value> Elaborator::AsParameter(const ast::Param& param, const ast::NamedType& type,
                                             const Value& value, Span span, Frame& frame) {
  std::string what =
      absl::StrCat(param.type->As<ast::ListType>() ? "an element of `" : "`", param.name.text, "`");
  bool is_float_word = type.path.parts.size() == 1 && type.path.parts[0].text == "float";
  std::optional<ElementType> element;
  {
    FrameScope scope(*this, frame);
    element = ElementOf(type.path);
    if (!element) {
      EvalType(*param.type);  // says what is wrong with it
      return Poison{};
    }
  }
  auto convert = [&](ElementType from) -> std::optional<ElementType> {
    if (is_float_word && from >= ElementType::kF16) {
      if (!frame.float_type) frame.float_type = from;
      if (*frame.float_type == from) return from;
    } else if (std::optional<ElementType> meeting = Meet(from, *element); meeting && *meeting == *element) {
      return element;
    }
    Report(span, kTypeMismatch,
           absl::StrCat(what, " is ", type.path.ToString(), "; what is given has another type"))
        .Note(param.span, "declared here");
    return std::nullopt;
  };
  if (type.sizes.empty()) {
    std::optional<Scalar> scalar = ToScalar(value, element, span);
    if (!scalar) return std::nullopt;
    std::optional<ElementType> to = convert(scalar->type);
    if (!to) return std::nullopt;
    if (type.range) frame.open_ranges.push_back({&param, span});
    return CastTo(*scalar, *to, span);
  }
  std::optional<TensorPtr> tensor = AsTensor(value, span, is_float_word ? frame.float_type : element);
  if (!tensor) return std::nullopt;
  std::optional<ElementType> to = convert((*tensor)->type);
  if (!to || !BindShape(type, (*tensor)->shape, span, what, frame)) return std::nullopt;
  TensorPtr bound = *tensor;
  if (*to != bound->type) {
    Value cast = CastValue(*to, bound, span);
    if (!cast.As<TensorPtr>()) return std::nullopt;
    bound = *cast.As<TensorPtr>();
  }
  if (bound->id < 0) bound = Materialize(bound, param.name.text, span);
  if (bound->edge != Outside::kInside) {  // what reads it says itself what lies outside
    auto plain = std::make_shared<TensorValue>(*bound);
    plain->edge = Outside::kInside;
    bound = plain;
  }
  if (type.range) frame.open_ranges.push_back({&param, span});
  return bound;
}

bool Elaborator::BindAttribute(const ast::Param& param, const Value& value, Span span, Frame& frame) {
  auto bind = [&](Value bound) {
    Binding binding;
    binding.value = std::move(bound);
    binding.span = param.name.span;
    frame.scopes[0][param.name.text] = std::move(binding);
    return true;
  };
  if (value.IsPoison() || (value.IsAbsent() && param.optional)) return bind(value);
  if (value.IsAbsent()) {
    Report(span, kMissingArgument, frame.subject, param.name.text).Note(param.span, "declared here");
    return false;
  }
  std::string what = absl::StrCat("the attribute `", param.name.text, "`");
  std::optional<Value> converted = AsAttribute(*param.type, value, span, what, param.span);
  return converted && bind(*converted);
}

// A number as the declared type of an attribute wants it; nothing if it is another thing, which is reported.
std::optional<Value> Elaborator::AsAttribute(const ast::TypeExpr& type, const Value& value, Span span,
                                             const std::string& what, Span declared) {
  auto wrong = [&](absl::string_view wanted) {
    Report(span, kTypeMismatch, absl::StrCat(what, " is ", wanted, ", not ", Describe(value)))
        .Note(declared, "declared here");
    return std::nullopt;
  };
  if (value.IsPoison()) return value;
  if (const auto* list_type = type.As<ast::ListType>()) {
    const auto* list = value.As<std::shared_ptr<ListValue>>();
    if (!list) return wrong("a list");
    return AsAttributeList(*list_type, **list, span, what, declared);
  }
  const auto& named = *type.As<ast::NamedType>();
  std::string word = named.path.ToString();
  const Scalar* scalar = value.As<Scalar>();
  bool takes_float = named.sizes.empty() && word == "float";
  if (scalar && takes_float && scalar->type >= ElementType::kF16 && IsOfSizes(*scalar->expr)) return value;
  if (value.As<TensorPtr>() || scalar) {
    Report(span, kStage, what, "a number; a value computed at run time must come before `;`")
        .Note(declared, "declared here");
    return std::nullopt;
  }
  if (word == "bool") return value.As<bool>() ? std::optional(value) : wrong("bool");
  if (word == "op") return value.As<OpRef>() || value.As<MethodRef>() ? std::optional(value) : wrong("an op");
  if (word == "string") return value.As<std::string>() ? std::optional(value) : wrong("a text");
  std::optional<ElementType> element = ElementOf(named.path);
  if (!element) {
    EvalType(type);  // says what is wrong with it
    return std::nullopt;
  }
  if (!named.sizes.empty()) return wrong("a tensor, which no attribute can be; a list is `[float]`");
  if (value.As<bool>() || value.As<std::string>() || !value.IsNumber()) return wrong(word);
  if (*element >= ElementType::kF16) return value;
  std::optional<Size> size = AsSize(value, span, what.c_str());
  if (!size) return std::nullopt;
  if (named.range) {
    std::optional<std::pair<Size, Size>> range = EvalRange(*named.range);
    if (range && !RequireRange(SizeScalar(*size, span), *range, span, what)) return std::nullopt;
  }
  return *size;
}

std::optional<Value> Elaborator::AsAttributeList(const ast::ListType& type, const ListValue& list, Span span,
                                                 const std::string& what, Span declared) {
  if (type.count) {
    Size length(static_cast<int64_t>(list.elements.size()));
    std::optional<Size> count = AsSize(Eval(*type.count), type.count->span, "the length of a list");
    if (!count || !RequireEqual(length, *count, span, absl::StrCat("the length of ", what), type.count->span))
      return std::nullopt;
  }
  auto elements = std::make_shared<ListValue>();
  for (const Value& element : list.elements) {
    std::optional<Value> converted =
        AsAttribute(*type.element, element, span, absl::StrCat("an element of ", what), declared);
    if (!converted) return std::nullopt;
    elements->elements.push_back(*converted);
  }
  return elements;
}

// Whether a call gives what the parameters demand, each once; nothing is asked of the values.
bool Elaborator::MatchArguments(const ast::Params& params, const std::string& callee, const Arguments& args,
                                Span span, bool numbers_only) {
  if (args.data.size() > params.data.size()) {
    Report(args.data[params.data.size()].span, kArgumentCount, callee, Plural(params.data.size(), "value"),
           absl::StrCat(args.data.size()));
    return false;
  }
  std::map<std::string, const ast::Param*> known;
  for (const ast::Param& param : params.data) known[param.name.text] = &param;
  for (const ast::Param& param : params.attributes) known[param.name.text] = &param;
  bool ok = true;
  for (const auto& [name, argument] : args.named) {
    if (known.contains(name)) continue;
    std::vector<std::string> candidates;
    for (const auto& [candidate, param] : known) candidates.push_back(candidate);
    Report(argument.span, kUnknownArgument, callee, name).SuggestNearest(name, candidates);
    ok = false;
  }
  if (!ok) return false;  // what is missing may be what was misspelt
  for (size_t i = 0; i < args.data.size(); ++i) {
    const std::string& name = params.data[i].name.text;
    auto again = args.named.find(name);
    if (again != args.named.end()) {
      Report(again->second.span, kRepeatedArgument, name).Label(args.data[i].span, "given by its place here");
      ok = false;
    }
    known.erase(name);
  }
  std::vector<const ast::Param*> missing;
  for (const auto* list : {&params.data, &params.attributes}) {
    for (const ast::Param& param : *list) {
      bool inherits = list == &params.data && !numbers_only && IsSeed(param);
      bool needed = known.contains(param.name.text) && !param.default_value && !param.optional && !inherits;
      if (needed && !args.named.contains(param.name.text)) missing.push_back(&param);
    }
  }
  if (missing.empty()) return ok;
  std::vector<std::string> names;
  for (const ast::Param* param : missing) names.push_back(absl::StrCat("`", param->name.text, "`"));
  DiagnosticBuilder builder = Report(span, kMissingArgument, callee, absl::StrJoin(names, " and "));
  for (const ast::Param* param : missing) {
    builder.Note(param->span, absl::StrCat("`", param->name.text, "` is declared here"));
  }
  return false;
}

// Fills the frame from the arguments. `numbers_only`: what stands before `;` are numbers too (a model's
// parameters).
bool Elaborator::BindParameters(const ast::Params& params, Frame& frame, const Arguments& args, Span span,
                                bool numbers_only) {
  if (!MatchArguments(params, frame.subject, args, span, numbers_only)) return false;
  std::map<std::string, Argument> named = args.named;
  bool ok = true;
  std::vector<const ast::Param*> defaults;
  for (size_t i = 0; i < params.data.size(); ++i) {
    const ast::Param& param = params.data[i];
    if (param.optional) frame.optionals.insert(param.name.text);
    std::optional<Argument> given;
    if (i < args.data.size()) {
      given = args.data[i];
    } else if (auto found = named.find(param.name.text); found != named.end()) {
      given = found->second;
    }
    if (given) frame.given[param.name.text] = given->span;
    if (!given && (param.default_value || (!numbers_only && IsSeed(param)))) {
      defaults.push_back(&param);
    } else {
      Value value = given ? given->value : Value(Absent{});
      Span where = given ? given->span : span;
      if (given && given->may_be_absent && !param.optional) {
        Report(where, kAbsence,
               absl::StrCat("this may be absent, and ", frame.subject, " needs `", param.name.text, "`"))
            .Note(param.span, "declared here");
        ok = false;
        continue;
      }
      ok =
          (numbers_only ? BindAttribute(param, value, where, frame) : BindData(param, value, where, frame)) &&
          ok;
    }
  }
  for (const ast::Param& param : params.attributes) {
    auto found = named.find(param.name.text);
    if (found != named.end()) {
      frame.given[param.name.text] = found->second.span;
      ok = BindAttribute(param, found->second.value, found->second.span, frame) && ok;
    } else if (param.default_value) {
      defaults.push_back(&param);
    } else {
      BindAttribute(param, Absent{}, span, frame);
    }
  }
  if (!ok) return false;
  FrameScope scope(*this, frame);
  for (const ast::Param* param : defaults) {
    Value value = param->default_value ? Eval(*param->default_value) : SeedOfFrame(span);
    bool is_data = !numbers_only && std::any_of(params.data.begin(), params.data.end(),
                                                [&](const ast::Param& p) { return &p == param; });
    ok = (is_data ? BindData(*param, value, param->span, frame)
                  : BindAttribute(*param, value, param->span, frame)) &&
         ok;
  }
  ok = ok && CheckShapes(frame) && CheckRanges(frame);
  return ok && (!args.weights || BindWeights(*args.weights, frame));
}

// Elaborates a body in the current frame and gathers its results.
// Values of the declared types of results, about which nothing else is known; nothing if the declarations
// leave open what only the body says.
std::optional<Value> Elaborator::DeclaredResults(const ast::Signature& signature) {
  if (frame_->is_inline) return std::nullopt;
  auto record = std::make_shared<Record>();
  for (const ast::Result& result : signature.results) {
    DeclaredType declared = result.type ? EvalType(*result.type) : DeclaredType();
    if (!declared.element || declared.element == ElementType::kInt || !declared.shape) return std::nullopt;
    std::vector<Size> shape;
    for (const std::optional<Size>& size : *declared.shape) {
      if (!size) return std::nullopt;
      shape.push_back(*size);
    }
    TensorPtr tensor = StoredTensor(NewTensor(result.name.text, *declared.element, shape, result.span));
    record->fields.emplace_back(result.name.text,
                                shape.empty() ? Value(ElementAt(*tensor, {}, result.span)) : Value(tensor));
  }
  return record->fields.size() == 1 ? record->fields[0].second : Value(record);
}

Value Elaborator::RunBody(const ast::Signature& signature, const ast::Block& body, Span span) {
  for (const ast::Result& result : signature.results) {
    frame_->results[result.name.text] = result.type;
    const auto* type = result.type ? result.type->As<ast::NamedType>() : nullptr;
    if (!type) continue;
    for (const ast::SizeExpr& size : type->sizes) {
      // What it is the body says; until sizes are found it is unknown wherever it is named.
      bool is_new = size.kind == ast::SizeExpr::Kind::kFound && !size.name.text.empty();
      if (!is_new) continue;
      frame_->found_names.insert(size.name.text);
      frame_->scopes[0].try_emplace(size.name.text).first->second.span = size.span;
    }
  }
  if (!CheckConstraints(signature, span)) return Poison{};
  // What is wrong with a declared result is wrong once, not in all equations that lead to it.
  std::vector<Statement>* statements = std::exchange(statements_, nullptr);
  bool broken = false;
  for (const ast::Result& result : signature.results) broken |= result.type && EvalType(*result.type).broken;
  statements_ = statements;
  if (broken) return Poison{};
  if (calls_.size() > kWorkedOutAgain && sound_.contains(&body)) {
    if (std::optional<Value> declared = DeclaredResults(signature)) return *declared;
  }
  bool is_captured = std::exchange(captures_next_, false);
  int conditions =
      std::exchange(numeric_conditions_, 0);  // those around a call say nothing of its own optionals
  RunBlock(body);
  numeric_conditions_ = conditions;
  if (is_captured) {
    for (const auto& [name, binding] : frame_->scopes[0]) captured_->emplace(name, binding.value);
  }
  std::vector<std::pair<std::string, Value>> values;
  for (const ast::Result& result : signature.results) {
    Binding* binding = Find(result.name.text);
    if (!binding) {
      if (frame_->module->file->uncertain.contains(result.name.text)) return Poison{};
      Report(result.name.span, kMissingResult, result.name.text);
      return Poison{};
    }
    if (binding->value.IsAbsent()) {
      Report(result.name.span, kAbsence, absl::StrCat("the result `", result.name.text, "` is absent here"));
      return Poison{};
    }
    values.emplace_back(result.name.text, binding->value);
  }
  if (!frame_->found_names.empty() && !CheckFoundResults(signature, values)) return Poison{};
  if (values.size() == 1) return values[0].second;
  auto record = std::make_shared<Record>();
  record->fields = std::move(values);
  return record;
}

}  // namespace weft::dsl::sema
