// Functions that exist without a declaration (docs/language.md, "Built in").

#include "dsl/sema/builtins.h"

#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

const std::map<std::string, Function>& RealFunctions() {
  static const auto* functions = new std::map<std::string, Function>{
      {"exp", Function::kExp},         {"log", Function::kLog},        {"sqrt", Function::kSqrt},
      {"sin", Function::kSin},         {"cos", Function::kCos},        {"tan", Function::kTan},
      {"tanh", Function::kTanh},       {"atan2", Function::kAtan2},    {"erf", Function::kErf},
      {"floor", Function::kFloor},     {"ceil", Function::kCeil},      {"round", Function::kRound},
      {"trunc", Function::kTrunc},     {"abs", Function::kAbs},        {"sign", Function::kSign},
      {"minimum", Function::kMinimum}, {"maximum", Function::kMaximum}};
  return *functions;
}

const std::map<std::string, ElementType>& Casts() {
  static const auto* casts = new std::map<std::string, ElementType>{
      {"int", ElementType::kInt},   {"i8", ElementType::kI8},   {"u8", ElementType::kU8},
      {"i32", ElementType::kI32},   {"i64", ElementType::kI64}, {"f16", ElementType::kF16},
      {"bf16", ElementType::kBf16}, {"f32", ElementType::kF32}, {"f64", ElementType::kF64},
      {"float", ElementType::kF32}};
  return *casts;
}

const char* const kOthers[] = {"clip", "ceil_div", "clamp",     "mirror",  "wrap",      "concat",  "len",
                               "zip",  "reverse",  "enumerate", "size",    "ndim",      "product", "random",
                               "stop", "total",    "grad",      "flatten", "unflatten", "leaves",  "bits"};

}  // namespace

bool IsBuiltin(const std::string& name) {
  return RealFunctions().contains(name) || Casts().contains(name) ||
         std::find(std::begin(kOthers), std::end(kOthers), name) != std::end(kOthers);
}

bool IsElementwiseBuiltin(const std::string& name) {
  return RealFunctions().contains(name) || Casts().contains(name) || name == "clip" || name == "ceil_div";
}

std::vector<std::string> BuiltinNames() {
  std::vector<std::string> names(std::begin(kOthers), std::end(kOthers));
  for (const auto& [name, function] : RealFunctions()) names.push_back(name);
  for (const auto& [name, type] : Casts()) names.push_back(name);
  return names;
}

Value Elaborator::CastValue(ElementType type, const Value& value, Span span) {
  return Elementwise({value}, span, [this, type, span](const std::vector<Value>& v) -> Value {
    std::optional<Scalar> x = ToScalar(v[0], v[0].IsNumber() ? std::optional(type) : std::nullopt, span);
    if (!x) return Poison{};
    if (x->type == ElementType::kBool) {
      Report(span, kTypeMismatch, "a condition becomes a number by `1 if ... else 0` or `count`");
      return Poison{};
    }
    if (type == ElementType::kInt && IsFloat(x->type)) {
      const auto* apply = std::get_if<Apply>(&x->expr->node);
      bool whole = apply && (apply->function == Function::kFloor || apply->function == Function::kCeil ||
                             apply->function == Function::kRound || apply->function == Function::kTrunc);
      if (!whole) {
        Report(span, kTypeMismatch,
               "`int` of a real number needs a whole one: `int(floor(...))`, `int(round(...))`");
        return Poison{};
      }
    }
    return CastTo(*x, type, span);
  });
}

Value Elaborator::CallConcat(const Arguments& args, Span span) {
  const auto* list = args.data.size() == 1 ? args.data[0].value.As<std::shared_ptr<ListValue>>() : nullptr;
  if (!list || (*list)->elements.empty()) {
    if (!args.data.empty() && args.data[0].value.IsPoison()) return Poison{};
    Report(span, kArgumentCount, "`concat`", "one list of tensors",
           args.data.empty() ? "nothing" : Describe(args.data[0].value));
    return Poison{};
  }
  for (const auto& [name, argument] : args.named) {
    if (name == "axis") continue;
    Report(argument.span, kUnknownArgument, "`concat`", name).SuggestNearest(name, {"axis"});
    return Poison{};
  }
  int64_t axis = 0;
  if (auto found = args.named.find("axis"); found != args.named.end()) {
    std::optional<int64_t> number =
        AsWholeNumber(found->second.value, found->second.span, "the axis of `concat`");
    if (!number) return Poison{};
    axis = *number;
  }
  if ((*list)->elements.size() == 1) return (*list)->elements[0];
  if (HoldsRecord((*list)->elements)) {
    return ByLeaf((*list)->elements, span, [&](const std::vector<Value>& leaves) {
      Arguments each = args;
      each.data[0].value = std::make_shared<ListValue>(ListValue{leaves});
      return CallConcat(each, span);
    });
  }
  std::vector<TensorPtr> parts;
  std::set<IndexId> mentioned;
  for (const Value& element : (*list)->elements) {
    std::optional<TensorPtr> tensor = AsTensor(element, args.data[0].span);
    if (!tensor) return Poison{};
    parts.push_back(*tensor);
    mentioned.merge(FreeIndices(*tensor));
  }
  const TensorValue& first = *parts[0];
  if (axis < 0 || axis >= static_cast<int64_t>(first.shape.size())) {
    Report(span, kOutOfRange, absl::StrCat("axis ", axis), "the axes", absl::StrCat(first.shape.size()));
    return Poison{};
  }
  Size extent;
  ElementType type = first.type;
  std::optional<std::pair<Size, Size>> range = first.range;
  for (const TensorPtr& part : parts) {
    std::optional<ElementType> meeting = Meet(part->type, type);
    type = meeting.value_or(type);
    if (part->shape.size() != first.shape.size() || !meeting) {
      Report(args.data[0].span, kShapeMismatch, ShapeText(first.shape), ShapeText(part->shape));
      return Poison{};
    }
    for (size_t i = 0; i < first.shape.size(); ++i) {
      if (static_cast<int64_t>(i) != axis)
        RequireEqual(part->shape[i], first.shape[i], args.data[0].span, "the parts of `concat`");
    }
    extent = extent + part->shape[axis];
    if (!part->range) range.reset();
    if (range)
      range = {Minimum(range->first, part->range->first), Maximum(range->second, part->range->second)};
  }
  std::vector<IndexPtr> indices;
  for (const IndexPtr& index : in_force_) {
    if (mentioned.contains(index->id)) indices.push_back(index);
  }
  return UnderIndices(indices, span, [&]() -> Value {
    Concat concat;
    concat.axis = static_cast<int>(axis);
    for (const TensorPtr& part : parts) {
      Value cast = part->type == type ? Value(part) : CastValue(type, part, span);
      concat.sources.push_back(Materialize(*cast.As<TensorPtr>(), "part", span)->id);
    }
    std::vector<Size> shape = first.shape;
    shape[axis] = extent;
    concat.result = NewTensor("concat", type, shape, span);
    TensorId id = concat.result;
    Emit(span, "concat", std::move(concat));
    auto joined = std::make_shared<TensorValue>(*StoredTensor(id));
    joined->range = range;
    return TensorPtr(joined);
  });
}

// Data for tests: an input of the test's program, which the runner fills.
Value Elaborator::CallRandom(const Arguments& args, Span span) {
  if (!expectations_) return Unsupported(span, "`random` outside a test");
  std::vector<Size> shape;
  int64_t count = 1;
  for (const Argument& argument : args.data) {
    std::optional<int64_t> extent = AsWholeNumber(argument.value, argument.span, "a size of `random`");
    if (!extent) return Poison{};
    if (*extent >= 0 && *extent <= 10'000'000) count *= std::max<int64_t>(*extent, 1);
    if (*extent < 0 || *extent > 10'000'000 || count > 10'000'000) {
      Report(argument.span, kTooMuchWork, 10'000'000);
      return Poison{};
    }
    shape.push_back(Size(*extent));
    if (*extent == 0) count = 0;
  }
  Port port;
  port.name = absl::StrCat("random", method_->inputs.size());
  port.element = ElementType::kF32;
  port.shape = shape;
  port.span = span;
  port.tensor = NewTensor(port.name, port.element, shape, span);
  method_->tensors[port.tensor].origin = Tensor::Origin::kInput;
  method_->tensors[port.tensor].source = static_cast<int>(method_->inputs.size());
  TensorPtr tensor = StoredTensor(port.tensor);
  method_->inputs.push_back(std::move(port));
  return shape.empty() ? Value(ElementAt(*tensor, {}, span)) : Value(tensor);
}

Value Elaborator::CallBuiltin(const std::string& name, const Arguments& args, Span span) {
  auto count = [&](size_t wanted) {
    if (args.data.size() == wanted && args.named.empty()) return true;
    Report(span, kArgumentCount, absl::StrCat("`", name, "`"),
           absl::StrCat(wanted, wanted == 1 ? " value" : " values"),
           absl::StrCat(args.data.size() + args.named.size()));
    return false;
  };
  std::vector<Value> values;
  for (const Argument& argument : args.data) {
    if (argument.value.IsPoison()) return Poison{};
    if (argument.value.IsAbsent() || argument.may_be_absent) {
      Report(argument.span, kAbsence, "this may be absent; say what stands for it then: `... else ...`");
      return Poison{};
    }
    values.push_back(argument.value);
  }
  if (name == "concat") return CallConcat(args, span);
  if (name == "random") return CallRandom(args, span);
  if (name == "product") {
    Size product(1);
    for (const Value& value : values) {
      std::optional<Size> size = AsSize(value, span, "a size");
      if (!size) return Poison{};
      product = product * *size;
    }
    return product;
  }
  if (name == "grad") return Unsupported(span, absl::StrCat("`", name, "`"));
  if (name == "bits") return CallBits(values, args, span);
  if (name == "unflatten") {
    auto like = args.named.find("like");
    if (values.size() == 2) return CallUnflatten(values[0], values[1], span);
    if (values.size() == 1 && like != args.named.end())
      return CallUnflatten(values[0], like->second.value, span);
    Report(span, kArgumentCount, "`unflatten`", "a vector and `like`", absl::StrCat(values.size()));
    return Poison{};
  }
  if (name == "total" || name == "flatten" || name == "leaves") {
    if (!count(1)) return Poison{};
    if (name == "total") return CallTotal(values[0], span);
    if (name == "flatten") return CallFlatten(values[0], span);
    return std::make_shared<ListValue>(ListValue{Leaves(values[0])});
  }
  if (name == "stop") return count(1) ? values[0] : Value(Poison{});
  if (name == "len") {
    if (!count(1)) return Poison{};
    if (const auto* list = values[0].As<std::shared_ptr<ListValue>>())
      return Size(static_cast<int64_t>((*list)->elements.size()));
    if (const TensorPtr* tensor = values[0].As<TensorPtr>(); tensor && !(*tensor)->shape.empty())
      return (*tensor)->shape[0];
    Report(span, kTypeMismatch, absl::StrCat("`len` counts lists and tensors, not ", Describe(values[0])));
    return Poison{};
  }
  if (name == "size" || name == "ndim") {
    if (!count(name == "size" ? 2 : 1)) return Poison{};
    std::optional<TensorPtr> tensor = AsTensor(values[0], span);
    if (!tensor) return Poison{};
    if (name == "ndim") return Size(static_cast<int64_t>((*tensor)->shape.size()));
    std::optional<int64_t> axis = AsWholeNumber(values[1], span, "an axis");
    if (!axis) return Poison{};
    if (*axis < 0 || *axis >= static_cast<int64_t>((*tensor)->shape.size())) {
      Report(span, kOutOfRange, absl::StrCat("axis ", *axis), "the axes",
             absl::StrCat((*tensor)->shape.size()));
      return Poison{};
    }
    return (*tensor)->shape[*axis];
  }
  if (name == "zip" || name == "reverse" || name == "enumerate") {
    if (name != "zip" && !count(1)) return Poison{};
    std::vector<std::vector<Value>> lists;
    for (size_t i = 0; i < values.size(); ++i) {
      lists.emplace_back();
      if (!Elements(values[i], args.data[i].span, &lists.back())) return Poison{};
      if (lists.back().size() != lists[0].size()) {
        Report(args.data[i].span, kSizeMismatch, "lists that are zipped", absl::StrCat(lists.back().size()),
               absl::StrCat(lists[0].size()));
        return Poison{};
      }
    }
    auto result = std::make_shared<ListValue>();
    if (lists.empty()) return result;
    if (name == "reverse") {
      result->elements.assign(lists[0].rbegin(), lists[0].rend());
      return result;
    }
    for (size_t i = 0; i < lists[0].size(); ++i) {
      auto row = std::make_shared<ListValue>();
      if (name == "enumerate") row->elements.push_back(Size(static_cast<int64_t>(i)));
      for (const auto& list : lists) row->elements.push_back(list[i]);
      result->elements.push_back(row);
    }
    return result;
  }
  if (name == "clamp" || name == "mirror" || name == "wrap") {
    if (!count(1)) return Poison{};
    std::optional<TensorPtr> tensor = AsTensor(values[0], span);
    if (!tensor) return Poison{};
    auto edged = std::make_shared<TensorValue>(**tensor);
    edged->edge = name == "clamp" ? Outside::kClamp : name == "mirror" ? Outside::kMirror : Outside::kWrap;
    return TensorPtr(edged);
  }
  if (auto cast = Casts().find(name); cast != Casts().end()) {
    if (!count(1)) return Poison{};
    bool known = false;
    if (name == "int") {
      Value number = NumberFunction(name, values, span, &known);
      if (known) return number;
    }
    return CastValue(name == "float" ? FloatType() : cast->second, values[0], span);
  }
  size_t wanted = name == "clip"                                                                    ? 3
                  : name == "minimum" || name == "maximum" || name == "atan2" || name == "ceil_div" ? 2
                                                                                                    : 1;
  if (!count(wanted)) return Poison{};
  return Elementwise(values, span, [this, name, span](const std::vector<Value>& v) -> Value {
    bool known = false;
    Value number = NumberFunction(name, v, span, &known);
    if (known) return number;
    if (name == "clip") {
      Value a = v[0], lo = v[1], hi = v[2];
      Scalar x, low, high, y;
      if (!Unify(a, lo, span, &x, &low)) return Poison{};
      Value bounded = Call2(Function::kMaximum, x, low, x.type, span);
      if (!Unify(bounded, hi, span, &y, &high)) return Poison{};
      return Call2(Function::kMinimum, y, high, y.type, span);
    }
    if (v.size() == 2) {
      Value a = v[0], b = v[1];
      Scalar x, y;
      if (!Unify(a, b, span, &x, &y)) return Poison{};
      if (name == "ceil_div") {
        Scalar zero = Literal(x.type, 0, span);
        Scalar negated = Call2(Function::kSub, zero, x, x.type, span);
        return Call2(Function::kSub, zero, Call2(Function::kFloorDiv, negated, y, x.type, span), x.type,
                     span);
      }
      if (name == "atan2") {
        ElementType type = IsFloat(x.type) ? x.type : FloatType();
        x = CastTo(x, type, span);
        y = CastTo(y, type, span);
      }
      return Call2(RealFunctions().at(name), x, y, x.type, span);
    }
    std::optional<Scalar> x = ToScalar(v[0], std::nullopt, span);
    if (!x) return Poison{};
    if (x->type == ElementType::kBool) {
      Report(span, kTypeMismatch, absl::StrCat("`", name, "` needs a number, not a condition"));
      return Poison{};
    }
    bool keeps_ints = name == "abs" || name == "sign" || name == "floor" || name == "ceil" ||
                      name == "round" || name == "trunc";
    if (!IsFloat(x->type) && !keeps_ints) {
      if (x->type != ElementType::kInt) {
        Report(span, kTypeMismatch,
               absl::StrCat("`", name, "` needs a float; convert first: `", name, "(f32(...))`"));
        return Poison{};
      }
      x = CastTo(*x, FloatType(), span);
    }
    if (!IsFloat(x->type) && name != "abs" && name != "sign") return *x;
    Scalar result = Call1(RealFunctions().at(name), *x, span);
    return x->type == ElementType::kInt ? Unknown(name, ElementType::kInt, result.expr, {}, {}) : result;
  });
}

}  // namespace weft::dsl::sema
