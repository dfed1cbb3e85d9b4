// Entries: the dimensions they bound, and methods whose parameters become inputs and whose results outputs
// (R30).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

std::string InSteps(const Dimension& dimension) {
  return absl::StrCat(dimension.lo, "..", dimension.hi,
                      dimension.step > 1 ? absl::StrCat(" in steps of ", dimension.step) : "");
}

bool Holds(const Dimension& dimension, int64_t number) {
  return number >= dimension.lo && number <= dimension.hi && number % dimension.step == 0;
}

bool IsDimensionName(const ast::Ref* name) {
  return name && !name->name.empty() && std::isupper(static_cast<unsigned char>(name->name[0]));
}

// Whether a size is made of whole numbers all the way: the runtime works those out, in the file's words.
bool IsOfWholeNumbers(const Size& size) {
  for (const Size::Term& term : size.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kFloor || atom->kind == SizeAtom::Kind::kFloorReal) return false;
      if (!std::all_of(atom->operands.begin(), atom->operands.end(), IsOfWholeNumbers)) return false;
    }
  }
  return true;
}

}  // namespace

// What a `dim` line says of one dimension; nothing if that is wrong.
std::optional<Dimension> Elaborator::EvalDimension(const ast::Limits::Dimension& declared) {
  Dimension dimension;
  dimension.name = declared.name.text;
  dimension.id = next_symbol_++;
  dimension.step = 1;
  Value range = Eval(*declared.range);
  const RangeValue* bounds = range.As<RangeValue>();
  std::optional<int64_t> lo = bounds ? bounds->from.AsInteger() : std::nullopt;
  std::optional<int64_t> hi = bounds ? bounds->to.AsInteger() : std::nullopt;
  if (!lo || !hi || *lo < 0 || *lo > *hi) {
    if (!range.IsPoison()) {
      Report(declared.range->span, kInvalidExpression,
             "a dimension lies between two numbers, `lo..hi` with lo <= hi");
    }
    return std::nullopt;
  }
  dimension.lo = *lo;
  dimension.hi = *hi;
  if (declared.step) {
    std::optional<int64_t> step =
        AsWholeNumber(Eval(*declared.step), declared.step->span, "the step of a dimension");
    if (!step) return std::nullopt;
    if (*step < 1 || *lo % *step != 0 || *hi % *step != 0) {
      Report(declared.step->span, kInvalidExpression,
             absl::StrCat("the step must divide ", *lo, " and ", *hi));
      return std::nullopt;
    }
    dimension.step = *step;
  }
  for (ast::ExprPtr hot : declared.hot) {
    std::optional<int64_t> number = AsWholeNumber(Eval(*hot), hot->span, "a hot size");
    if (!number) continue;
    if (!Holds(dimension, *number)) {
      Report(
          hot->span, kInvalidExpression,
          absl::StrCat(*number, " is no size of `", dimension.name, "`, which lies in ", InSteps(dimension)));
      continue;
    }
    dimension.hot_span = Cover(dimension.hot_span, hot->span);
    if (std::find(dimension.hot.begin(), dimension.hot.end(), *number) == dimension.hot.end())
      dimension.hot.push_back(*number);
  }
  return dimension;
}

// A dimension that is fixed, or can have one size only, is a number.
void Elaborator::BindDimension(const ast::Limits::Dimension& declared, std::optional<int64_t> fixed,
                               ModelInstance& entry) {
  if (entry.members.contains(declared.name.text)) {
    Report(declared.name.span, kDuplicateName, declared.name.text);
    return;
  }
  entry.members[declared.name.text] = Poison{};
  std::optional<Dimension> dimension = EvalDimension(declared);
  if (!dimension) return;
  if (fixed && !Holds(*dimension, *fixed)) {
    Report(declared.span, kInvalidExpression,
           absl::StrCat("`", dimension->name, "` cannot be ", *fixed, ": it lies in ", InSteps(*dimension)));
    return;
  }
  if (dimension->lo == dimension->hi) fixed = dimension->lo;
  Value& value = entry.members[dimension->name];
  if (fixed) {
    value = Size(*fixed);
    return;
  }
  value = Size::Symbol(dimension->id, dimension->name, dimension->lo, dimension->hi, dimension->step);
  program_.dimensions.push_back(*dimension);
}

ModelPtr Elaborator::InstantiateEntry(const ast::Model& entry, const Module& module,
                                      const std::map<std::string, int64_t>& fixed) {
  auto instance = std::make_shared<ModelInstance>();
  instance->model = &entry;
  instance->module = &module;
  Method members;  // computes nothing: what a member may say is known when compiling
  method_ = &members;
  entry_frame_ = std::make_unique<Frame>();
  entry_frame_->module = &module;
  entry_frame_->self = instance;
  frame_ = entry_frame_.get();
  for (const ast::Member* member : entry.members) {
    const auto* limits = member->As<ast::Limits>();
    if (!limits) continue;
    for (const auto& declared : limits->dimensions) {
      if (member->broken) {
        instance->members[declared.name.text] = Poison{};
        continue;
      }
      auto number = fixed.find(declared.name.text);
      BindDimension(declared, number != fixed.end() ? std::optional(number->second) : std::nullopt,
                    *instance);
    }
  }
  for (const auto& [name, number] : fixed) {
    if (instance->members.contains(name)) continue;
    std::vector<std::string> known;
    for (const auto& [member, value] : instance->members) known.push_back(member);
    Report(entry.name.span, kUnknownMember, absl::StrCat("the entry `", entry.name.text, "`"),
           absl::StrCat(name, "` as a dimension, `", name))
        .SuggestNearest(name, known);
  }
  EvaluateMembers(instance);
  method_ = nullptr;
  return instance;
}

// Names that stand alone in an input's shape and that no `dim` line bounds: any size.
void Elaborator::BindOpenDimensions(const ast::NamedType& type, ModelInstance& entry) {
  for (const ast::SizeExpr& size : type.sizes) {
    const auto* name = size.size ? size.size->As<ast::Ref>() : nullptr;
    if (!IsDimensionName(name) || Find(name->name) || entry.members.contains(name->name)) continue;
    Dimension dimension{next_symbol_++, name->name, 1, 1 << 30, 1, {}, {}};
    entry.members[name->name] = Size::Symbol(dimension.id, dimension.name, dimension.lo, dimension.hi);
    program_.dimensions.push_back(dimension);
  }
}

// The value of an input of the method, which becomes one or, for a list, several ports `name.0`, `name.1`;
// for the weights of a model one for each.
std::optional<Value> Elaborator::AddInput(const std::string& name, const ast::TypeExpr& declared, Span span) {
  if (const auto* list = declared.As<ast::ListType>()) {
    std::optional<int64_t> count;
    if (list->count) count = AsWholeNumber(Eval(*list->count), list->count->span, "the length of a list");
    if (!count || *count < 0 || *count > 1000) {
      if (!has_errors())
        Report(span, kTypeMismatch, "a list that an entry takes has a length, `[f32[N]; 3]`");
      return std::nullopt;
    }
    auto value = std::make_shared<ListValue>();
    for (int64_t i = 0; i < *count; ++i) {
      std::optional<Value> element = AddInput(absl::StrCat(name, ".", i), *list->element, span);
      if (!element) return std::nullopt;
      value->elements.push_back(*element);
    }
    return value;
  }
  BindOpenDimensions(*declared.As<ast::NamedType>(), *frame_->self);
  DeclaredType type = EvalType(declared);
  if (type.broken) return std::nullopt;
  if (type.record) {
    size_t leaf = 0;
    Value record = ByLeaf({*type.record}, span, [&](const std::vector<Value>& like) {
      return AddPort(absl::StrCat(name, ".", type.paths[leaf++]), LeafType(like[0], span), span)
          .value_or(Poison{});
    });
    return record.IsPoison() ? std::nullopt : std::optional(record);
  }
  return AddPort(name, type, span);
}

std::optional<Value> Elaborator::AddPort(const std::string& name, const DeclaredType& type, Span span) {
  if (!type.element || !type.shape) {
    if (!has_errors()) Report(span, kTypeMismatch, "an entry takes tensors, scalars and lists of them");
    return std::nullopt;
  }
  Port port;
  port.name = name;
  port.element = *type.element;
  port.span = span;
  for (const std::optional<Size>& size : *type.shape) {
    if (!size) {
      if (!has_errors())
        Report(span, kTypeMismatch, "the sizes of an entry's inputs have names or are numbers");
      return std::nullopt;
    }
    port.shape.push_back(*size);
  }
  std::vector<Size> sizes = port.shape;
  if (type.range) {
    port.range_lo = type.range->first, port.range_hi = type.range->second;
    sizes.insert(sizes.end(), {*port.range_lo, *port.range_hi});
  }
  for (const Size& size : sizes) {
    if (IsOfWholeNumbers(size)) continue;
    Report(span, kTypeMismatch,
           absl::StrCat("the sizes of an entry's inputs are made of whole numbers, and this is ",
                        size.ToString()));
    return std::nullopt;
  }
  port.tensor = NewTensor(port.name, port.element, port.shape, span);
  method_->tensors[port.tensor].origin = Tensor::Origin::kInput;
  method_->tensors[port.tensor].source = static_cast<int>(method_->inputs.size());
  auto tensor = std::make_shared<TensorValue>(*StoredTensor(port.tensor));
  tensor->range = type.range;
  bool is_scalar = port.shape.empty();
  method_->inputs.push_back(std::move(port));
  return is_scalar ? Value(ElementAt(*tensor, {}, span)) : Value(TensorPtr(tensor));
}

// The tensor as an output of the method that is elaborated.
int Elaborator::AddOutput(const std::string& name, const TensorPtr& tensor, Span span) {
  TensorPtr stored = Materialize(tensor, name, span);
  Port port;
  port.name = name;
  port.element = stored->type;
  port.shape = stored->shape;
  port.tensor = stored->id;
  port.span = span;
  if (stored->range) port.range_lo = stored->range->first, port.range_hi = stored->range->second;
  method_->outputs.push_back(std::move(port));
  return static_cast<int>(method_->outputs.size()) - 1;
}

// A result as one output, or as several: `name.field` of a record, `name.0` of a list whose elements differ
// in shape.
bool Elaborator::AddOutputs(const std::string& name, const Value& value, Span span) {
  std::vector<std::pair<std::string, Value>> parts;
  if (const auto* record = value.As<std::shared_ptr<Record>>()) parts = (*record)->fields;
  if (const auto* list = value.As<std::shared_ptr<ListValue>>(); list && !IsRegular(**list)) {
    for (const Value& element : (*list)->elements) parts.emplace_back(absl::StrCat(parts.size()), element);
  }
  if (!parts.empty()) {
    return std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
      return AddOutputs(absl::StrCat(name, ".", part.first), part.second, span);
    });
  }
  if (value.IsAbsent()) {
    Report(span, kAbsence, absl::StrCat("the result `", name, "` may be absent"));
    return false;
  }
  std::optional<TensorPtr> tensor = AsTensor(value, span);
  if (tensor) AddOutput(name, *tensor, span);
  return tensor.has_value();
}

void Elaborator::ElaborateMethod(const ModelPtr& entry, const ast::Method& declared) {
  if (declared.signature.broken) return;
  Method method;
  method.name = declared.name.text;
  BeginMethod(method);
  ranges_.clear();
  found_.clear();
  calls_ = {&entry->calls[&declared]};
  Frame frame;
  frame.module = entry->module;
  frame.self = entry;
  frame.path = declared.name.text;
  EnterMethod(*entry->model, declared, frame);
  frame.subject = absl::StrCat("`", declared.name.text, "`");
  FrameScope scope(*this, frame);
  const ast::Signature& signature = declared.signature;
  if (!signature.params.attributes.empty()) {
    Report(signature.params.attributes[0].span, kTypeMismatch, "an entry's method has no attributes");
    return;
  }
  for (const ast::Param& param : signature.params.data) {
    if (param.optional || param.default_value) {
      Report(param.span, kTypeMismatch, "an entry's inputs are always given");
      return;
    }
    std::optional<Value> value = AddInput(param.name.text, *param.type, param.span);
    if (!value) return;
    Binding binding;
    binding.value = *value;
    binding.span = param.name.span;
    frame.scopes[0][param.name.text] = std::move(binding);
  }
  Value value = RunBody(signature, declared.body, declared.name.span);
  if (value.IsPoison() || has_errors()) return;
  const auto* record = value.As<std::shared_ptr<Record>>();
  bool several = record && signature.results.size() > 1;
  for (size_t i = 0; i < signature.results.size(); ++i) {
    const ast::Result& result = signature.results[i];
    const Value& part = several ? (*record)->fields[i].second : value;
    if (!AddOutputs(result.name.text, part, result.span)) return;
  }
  AddNextStates();
  CheckDimensions();
  NameFoundSizes(frame);
  program_.methods.push_back(std::move(method));
}

}  // namespace weft::dsl::sema
