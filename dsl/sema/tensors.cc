// Tensors as views of stored ones or rules for their elements; whole-tensor arithmetic (R9, R16).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

TensorId Elaborator::NewTensor(const std::string& name, ElementType type, std::vector<Size> shape,
                               Span span) {
  Tensor tensor;
  tensor.name = name;
  tensor.element = type;
  tensor.shape = std::move(shape);
  tensor.span = span;
  method_->tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(method_->tensors.size()) - 1;
}

TensorPtr Elaborator::StoredTensor(TensorId id) {
  auto value = std::make_shared<TensorValue>();
  value->id = id;
  value->type = method_->tensors[id].element;
  value->shape = method_->tensors[id].shape;
  for (size_t axis = 0; axis < value->shape.size(); ++axis) {
    Slot slot;
    slot.axis = static_cast<int>(axis);
    value->slots.push_back(slot);
  }
  return value;
}

bool IsWhole(const TensorValue& tensor, const std::vector<Size>& shape) {
  for (size_t axis = 0; axis < tensor.slots.size(); ++axis) {
    const Slot& slot = tensor.slots[axis];
    if (slot.fixed || slot.rows || slot.axis != static_cast<int>(axis) || !(slot.offset == Size(0)))
      return false;
  }
  return tensor.shape == shape;
}

// The element at `at`, one position per axis of the value. Positions beyond the axis are only for views.
Scalar Elaborator::Element(const TensorValue& tensor, const std::vector<Position>& at, const ExprPtr& fill,
                           Span span) {
  if (tensor.rule) {
    std::vector<Scalar> scalars;
    for (const Position& position : at) scalars.push_back(position.at);
    return tensor.rule(scalars);
  }
  Read read;
  std::vector<Size> forms;
  bool all_known = true;
  read.tensor = tensor.id;
  read.fill = fill;
  for (const Slot& slot : tensor.slots) {
    Position position;
    if (slot.fixed) {
      position = *slot.fixed;
    } else {
      position = at[slot.axis];
      if (slot.rows) {
        position.at = ElementAt(*slot.rows, {position.at}, span);
      } else if (!(slot.offset == Size(0))) {
        position.at =
            Call2(Function::kAdd, position.at, SizeScalar(slot.offset, span), ElementType::kInt, span);
      }
    }
    read.subscripts.push_back({position.at.expr, position.outside});
    all_known &= position.at.form && position.outside == Outside::kInside;
    if (all_known) forms.push_back(*position.at.form);
  }
  ExprPtr expr = Make(tensor.type, span, std::move(read));
  std::optional<Size> lo, hi;
  if (tensor.range && !fill) lo = tensor.range->first, hi = tensor.range->second;
  if (tensor.type != ElementType::kInt || fill) {
    return Unknown(method_->tensors[tensor.id].name, tensor.type, expr, lo, hi);
  }
  // What is read twice at one place is one value: `x[at[i]] if at[i] in 0..n else 0` is proved that way.
  for (const KnownRead& known : known_reads_[tensor.id]) {
    if (known.forms == forms && known.range == tensor.range) return {expr, tensor.type, known.value, {}, {}};
  }
  Scalar element = Unknown(method_->tensors[tensor.id].name, tensor.type, expr, lo, hi);
  if (all_known) known_reads_[tensor.id].push_back({forms, tensor.range, *element.form});
  return element;
}

Scalar Elaborator::ElementAt(const TensorValue& tensor, const std::vector<Scalar>& at, Span span) {
  std::vector<Position> positions;
  for (const Scalar& scalar : at) positions.push_back({scalar, tensor.edge});
  return Element(tensor, positions, nullptr, span);
}

// A row of the tensor, as ApplySlots takes it; `otherwise`, a row too, where it lies outside.
Value Elaborator::RowOr(const TensorPtr& tensor, const std::vector<Slot>& slots,
                        const std::vector<Size>& shape, const TensorPtr& otherwise, Span span) {
  if (otherwise->shape.size() != shape.size()) {
    Report(span, kRankMismatch, "the row after `else`", Describe(otherwise),
           absl::StrCat("the row before it has the shape ", ShapeText(shape)));
    return Poison{};
  }
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (!RequireEqual(otherwise->shape[axis], shape[axis], span,
                      absl::StrCat("axis ", axis, " of the rows before and after `else`")))
      return Poison{};
  }
  if (Meet(otherwise->type, tensor->type) != tensor->type) {
    Report(span, kTypeMismatch, "what stands after `else` must have the type of the elements");
    return Poison{};
  }
  auto rows = std::make_shared<TensorValue>();
  rows->type = tensor->type;
  rows->shape = shape;
  if (tensor->range == otherwise->range) rows->range = tensor->range;
  rows->rule = [this, tensor, slots, shape, otherwise, span](const std::vector<Scalar>& at) {
    ExprPtr fill = CastTo(ElementAt(*otherwise, at, span), tensor->type, span).expr;
    Value row = ApplySlots(tensor, slots, shape, fill, span);
    return ElementAt(**row.As<TensorPtr>(), at, span);
  };
  return TensorPtr(rows);
}

// The same tensor as a stored one.
TensorPtr Elaborator::Materialize(const TensorPtr& tensor, const std::string& name, Span span) {
  if (tensor->id >= 0 && IsWhole(*tensor, method_->tensors[tensor->id].shape)) return tensor;
  Equation equation;
  std::vector<Scalar> at;
  for (const Size& extent : tensor->shape) {
    IndexPtr index = NewIndex(absl::StrCat("i", at.size()), span);
    SetRange(*index, Size(0), extent);
    equation.domain.push_back({index->id, index->name, extent});
    at.push_back(IndexScalar(*index, span));
  }
  Scalar body = ElementAt(*tensor, at, span);
  TensorId id = NewTensor(name, body.type, tensor->shape, span);
  equation.results = {id};
  equation.bodies = {body.expr};
  Emit(span, name, std::move(equation));
  auto stored = std::make_shared<TensorValue>(*StoredTensor(id));
  stored->range = tensor->range;
  if (body.form && !stored->range) stored->range = RangeOf(*body.form);
  return stored;
}

namespace {

// Numbers all the way down, in the same shape everywhere.
struct NumberTree {
  std::vector<const Value*> leaves;
  std::vector<Size> shape;
  bool is_regular = true;

  void Add(const Value& value, size_t depth) {
    if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
      Size length(static_cast<int64_t>((*list)->elements.size()));
      if (shape.size() == depth && leaves.empty()) shape.push_back(length);
      is_regular = is_regular && depth < shape.size() && shape[depth] == length;
      for (const Value& element : (*list)->elements) Add(element, depth + 1);
      return;
    }
    const Size* size = value.As<Size>();
    bool is_number = (size && size->AsRational()) || value.As<double>() || value.As<bool>();
    is_regular = is_regular && is_number && depth == shape.size();
    leaves.push_back(&value);
  }
  bool All(bool (*test)(const Value&)) const {
    return std::all_of(leaves.begin(), leaves.end(), [&](const Value* leaf) { return test(*leaf); });
  }
};

bool IsTruth(const Value& value) { return value.As<bool>() != nullptr; }
bool IsNoTruth(const Value& value) { return !IsTruth(value); }
bool IsInteger(const Value& value) { return value.As<Size>() && value.As<Size>()->AsInteger(); }

}  // namespace

// A list of numbers, of one type and regular shape, as a constant; null if it is none.
TensorPtr Elaborator::ConstantTensor(const Value& list, std::optional<ElementType> want, Span span) {
  NumberTree tree;
  tree.Add(list, 0);
  bool is_bool = tree.All(IsTruth) && !tree.leaves.empty();
  if (!tree.is_regular || (!is_bool && !tree.All(IsNoTruth))) return nullptr;
  bool is_whole = tree.All(IsInteger);
  ElementType type = is_bool ? ElementType::kBool : is_whole ? ElementType::kInt : FloatType();
  if (want && !is_bool && *want != ElementType::kBool && (is_whole || *want >= ElementType::kF16))
    type = *want;
  bool is_float = type >= ElementType::kF16;
  std::vector<int64_t> whole;
  std::vector<double> real;
  for (const Value* leaf : tree.leaves) {
    if (is_bool) {
      whole.push_back(*leaf->As<bool>());
    } else if (!is_float) {
      if (!ToScalar(*leaf, type, span)) return nullptr;  // it does not fit
      whole.push_back(*leaf->As<Size>()->AsInteger());
    } else if (const double* number = leaf->As<double>()) {
      real.push_back(*number);
    } else {
      Rational fraction = *leaf->As<Size>()->AsRational();
      real.push_back(static_cast<double>(fraction.num) / static_cast<double>(fraction.den));
    }
  }
  TensorId id = NewTensor("constant", type, tree.shape, span);
  method_->tensors[id].origin = Tensor::Origin::kConstant;
  method_->tensors[id].source = static_cast<int>(program_.constants.size());
  auto tensor = std::make_shared<TensorValue>(*StoredTensor(id));
  if (type == ElementType::kInt && !whole.empty()) {
    auto [lo, hi] = std::minmax_element(whole.begin(), whole.end());
    tensor->range = {Size(*lo), Size(*hi) + Size(1)};
  }
  if (!is_float) {
    program_.constants.push_back({std::move(whole)});
  } else {
    program_.constants.push_back({std::move(real)});
  }
  return tensor;
}

// Whether the elements have as many axes each, of sizes that may be equal: then the list is a tensor.
bool Elaborator::IsRegular(const ListValue& list) {
  const std::vector<Size>* first = nullptr;
  for (const Value& element : list.elements) {
    static const std::vector<Size> scalar;
    const TensorPtr* tensor = element.As<TensorPtr>();
    const auto* inner = element.As<std::shared_ptr<ListValue>>();
    if (element.As<std::shared_ptr<Record>>() || (inner && !IsRegular(**inner))) return false;
    if (inner) continue;
    const std::vector<Size>& shape = tensor ? (*tensor)->shape : scalar;
    if (!first) first = &shape;
    if (shape.size() != first->size()) return false;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (std::optional<Rational> difference = (shape[axis] - (*first)[axis]).AsRational();
          difference && difference->num != 0) {
        return false;
      }
    }
  }
  return true;
}

// A list of equal shapes is a tensor with one more leading axis (R27).
std::optional<TensorPtr> Elaborator::AsTensor(const Value& value, Span span,
                                              std::optional<ElementType> want) {
  if (const TensorPtr* tensor = value.As<TensorPtr>()) return *tensor;
  if (value.IsPoison()) return std::nullopt;
  const auto* list = value.As<std::shared_ptr<ListValue>>();
  if (!list) {
    std::optional<Scalar> scalar = ToScalar(value, std::nullopt, span);
    if (!scalar) return std::nullopt;
    auto tensor = std::make_shared<TensorValue>();
    tensor->type = scalar->type;
    tensor->rule = [scalar = *scalar](const std::vector<Scalar>&) { return scalar; };
    return tensor;
  }
  int before = diagnostics_.error_count();
  if (TensorPtr constant = ConstantTensor(value, want, span)) return constant;
  if (diagnostics_.error_count() > before) return std::nullopt;

  std::vector<TensorPtr> parts;
  for (const Value& element : (*list)->elements) {
    std::optional<TensorPtr> part = AsTensor(element, span);
    if (!part) return std::nullopt;
    parts.push_back(*part);
  }
  auto tensor = std::make_shared<TensorValue>();
  tensor->type = parts[0]->type;
  for (const TensorPtr& part : parts) {
    std::optional<ElementType> meeting = Meet(tensor->type, part->type);
    if (!meeting || part->shape.size() != parts[0]->shape.size()) {
      Report(span, kTypeMismatch,
             "the elements of this list have different shapes or types, so it is no tensor")
          .Note(absl::StrCat(ShapeText(parts[0]->shape), " and ", ShapeText(part->shape)));
      return std::nullopt;
    }
    tensor->type = *meeting;
    for (size_t axis = 0; axis < part->shape.size(); ++axis) {
      RequireEqual(part->shape[axis], parts[0]->shape[axis], span, "the elements of a list");
    }
  }
  tensor->shape = parts[0]->shape;
  tensor->shape.insert(tensor->shape.begin(), Size(static_cast<int64_t>(parts.size())));
  tensor->rule = [this, parts, span, type = tensor->type](const std::vector<Scalar>& at) {
    std::vector<Scalar> rest(at.begin() + 1, at.end());
    std::optional<int64_t> place = at[0].form ? at[0].form->AsInteger() : std::nullopt;
    if (parts.size() == 1) place = 0;
    if (place && *place >= 0 && *place < static_cast<int64_t>(parts.size())) {
      return CastTo(ElementAt(*parts[*place], rest, span), type, span);
    }
    Apply choice{Function::kSwitch, {at[0].expr}};
    Size lo, hi;
    bool known = type == ElementType::kInt;
    for (const TensorPtr& part : parts) {
      Scalar element = CastTo(ElementAt(*part, rest, span), type, span);
      choice.operands.push_back(element.expr);
      if (!known) continue;
      if (!element.form) {
        known = false;
      } else if (choice.operands.size() == 2) {
        lo = hi = *element.form;
      } else {
        lo = Minimum(lo, *element.form);
        hi = Maximum(hi, *element.form);
      }
    }
    ExprPtr expr = Make(type, span, std::move(choice));
    return known ? Unknown("element", type, expr, lo, hi + Size(1)) : Unknown("element", type, expr, {}, {});
  };
  return tensor;
}

std::string Elaborator::ShapeText(const std::vector<Size>& shape) {
  return absl::StrCat(
      "[", absl::StrJoin(shape, ", ", [](std::string* out, const Size& s) { *out += s.ToString(); }), "]");
}

std::string Elaborator::Describe(const Value& value) {
  if (const TensorPtr* tensor = value.As<TensorPtr>())
    return absl::StrCat("a tensor ", ShapeText((*tensor)->shape));
  if (value.As<std::shared_ptr<Record>>()) return "a record";
  if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    return absl::StrCat("a list of ", (*list)->elements.size());
  }
  if (value.As<Scalar>()) return "a value computed at run time";
  if (const Size* size = value.As<Size>())
    return absl::StrCat(size->AsRational() ? "the number " : "the size ", size->ToString());
  if (const double* real = value.As<double>()) return absl::StrCat("the number ", *real);
  if (value.As<RealSize>()) return "a real number";
  if (const bool* truth = value.As<bool>()) return *truth ? "`true`" : "`false`";
  if (value.As<std::string>()) return "a text";
  if (value.As<ModelPtr>()) return "a model";
  if (value.As<ModelRef>()) return "a model's declaration";
  if (const OpRef* op = value.As<OpRef>()) return absl::StrCat("the op `", op->op->name.text, "`");
  if (const MethodRef* method = value.As<MethodRef>())
    return absl::StrCat("the method `", method->method->name.text, "`");
  if (const Builtin* builtin = value.As<Builtin>()) return absl::StrCat("the function `", builtin->name, "`");
  if (value.As<RangeValue>()) return "a range";
  if (value.IsAbsent()) return "something absent";
  return "an unknown value";
}

// The shape that all tensors take part in: equal ones, scalars, or one that is the others' trailing axes
// (R16).
std::optional<std::vector<Size>> Elaborator::CommonShape(const std::vector<TensorPtr>& tensors, Span span,
                                                         const std::vector<Span>& places) {
  auto refuse = [&](const std::vector<Size>& one, const std::vector<Size>& other) {
    DiagnosticBuilder builder = Report(span, kShapeMismatch, ShapeText(one), ShapeText(other));
    for (size_t i = 0; i < places.size() && i < tensors.size(); ++i)
      builder.Label(places[i], ShapeText(tensors[i]->shape));
    return std::nullopt;
  };
  std::vector<Size> shape;
  for (const TensorPtr& tensor : tensors) {
    if (tensor->shape.size() > shape.size()) shape = tensor->shape;
  }
  for (const TensorPtr& tensor : tensors) {
    size_t lead = shape.size() - tensor->shape.size();
    for (size_t axis = 0; axis < tensor->shape.size(); ++axis) {
      const Size &a = tensor->shape[axis], &b = shape[lead + axis];
      bool same = a == b;
      if (!same) {
        std::optional<Rational> difference = (a - b).AsRational();
        if (difference || (a.IsBareSymbol() && b.IsBareSymbol()) || lead > 0) {
          return refuse(shape, tensor->shape);
        }
        RequireEqual(a, b, span, "whole tensors");
      }
      // Decided by name: a size that occurs among the leading axes too could mean either. In an instance, and
      // in what is called, a number may stand for any name, so there the declaration has decided.
      bool is_written = !a.AsInteger() || (!frame_->caller && (generic_ || expectations_));
      if (lead > 0 && is_written) {
        for (size_t other = 0; other < lead; ++other) {
          if (shape[other] == a) {
            return refuse(shape, tensor->shape);
          }
        }
      }
    }
  }
  return shape;
}

// Applies a function of scalars element by element; to plain numbers and scalars at once. Records go leaf by
// leaf.
Value Elaborator::Elementwise(const std::vector<Value>& operands, Span span,
                              const std::function<Value(const std::vector<Value>&)>& function,
                              const std::vector<Span>& places) {
  if (HoldsRecord(operands)) {
    return ByLeaf(
        operands, span,
        [&](const std::vector<Value>& leaves) { return Elementwise(leaves, span, function, places); },
        /*same_shapes=*/true);
  }
  std::optional<ElementType> want;  // of the first computed number, for lists that meet it
  for (const Value& operand : operands) {
    const TensorPtr* tensor = operand.As<TensorPtr>();
    const Scalar* scalar = operand.As<Scalar>();
    if (want || (!tensor && !scalar)) continue;
    ElementType type = tensor ? (*tensor)->type : scalar->type;
    if (type != ElementType::kBool && type != ElementType::kInt) want = type;
  }
  std::vector<TensorPtr> tensors;
  std::vector<Span> tensor_places;
  std::vector<Value> values = operands;
  for (Value& value : values) {
    if (value.IsPoison()) return Poison{};
    if (value.As<std::shared_ptr<ListValue>>()) {
      std::optional<TensorPtr> tensor = AsTensor(value, span, want);
      if (!tensor) return Poison{};
      value = *tensor;
    }
    if (!value.As<TensorPtr>()) continue;
    tensors.push_back(*value.As<TensorPtr>());
    size_t operand = &value - values.data();
    if (operand < places.size()) tensor_places.push_back(places[operand]);
  }
  if (tensors.empty()) return function(values);
  std::optional<std::vector<Size>> shape = CommonShape(tensors, span, tensor_places);
  if (!shape) return Poison{};
  auto rule = [this, values, function, rank = shape->size(), span](const std::vector<Scalar>& at) -> Scalar {
    std::vector<Value> elements;
    for (const Value& value : values) {
      const TensorPtr* tensor = value.As<TensorPtr>();
      if (!tensor) {
        elements.push_back(value);
        continue;
      }
      std::vector<Scalar> own(at.begin() + (rank - (*tensor)->shape.size()), at.end());
      elements.push_back(ElementAt(**tensor, own, span));
    }
    std::vector<Scalar> around = std::exchange(lifted_at_, at);
    Value result = function(elements);
    lifted_at_ = std::move(around);
    std::optional<Scalar> scalar = ToScalar(result, std::nullopt, span);
    return scalar ? *scalar : Literal(ElementType::kF32, 0, span);
  };
  // One trial tells the type; what it reports is reported once.
  std::vector<Scalar> trial;
  for (const Size& extent : *shape) {
    IndexPtr index = NewIndex("i", span);
    SetRange(*index, Size(0), extent);
    trial.push_back(IndexScalar(*index, span));
  }
  int before = diagnostics_.errors_found();
  Scalar element = rule(trial);
  if (diagnostics_.errors_found() > before) return Poison{};
  auto result = std::make_shared<TensorValue>();
  result->type = element.type;
  result->shape = *shape;
  result->rule = rule;
  return TensorPtr(result);
}

namespace {

void CollectIndices(const ExprPtr& expr, std::set<IndexId>* out, std::set<const Expr*>* seen) {
  if (!expr || !seen->insert(expr.get()).second) return;
  if (const auto* ref = std::get_if<IndexRef>(&expr->node)) out->insert(ref->index);
  if (const auto* read = std::get_if<Read>(&expr->node)) {
    for (const Subscript& s : read->subscripts) CollectIndices(s.at, out, seen);
    CollectIndices(read->fill, out, seen);
  }
  if (const auto* apply = std::get_if<Apply>(&expr->node)) {
    for (const ExprPtr& operand : apply->operands) CollectIndices(operand, out, seen);
  }
  if (const auto* cast = std::get_if<Cast>(&expr->node)) CollectIndices(cast->operand, out, seen);
  if (const auto* reduce = std::get_if<Reduce>(&expr->node)) {
    for (const Binder& binder : reduce->binders) {
      CollectIndices(binder.lower, out, seen);
      CollectIndices(binder.upper, out, seen);
    }
    CollectIndices(reduce->condition, out, seen);
    CollectIndices(reduce->body, out, seen);
    CollectIndices(reduce->if_empty, out, seen);
  }
}

}  // namespace

// The indices that a value mentions.
std::set<IndexId> Elaborator::FreeIndices(const Value& value) {
  std::set<IndexId> ids;
  std::set<const Expr*> seen;
  if (const Scalar* scalar = value.As<Scalar>()) {
    CollectIndices(scalar->expr, &ids, &seen);
  } else if (const TensorPtr* tensor = value.As<TensorPtr>()) {
    std::vector<Scalar> at;
    std::set<IndexId> own;
    for (const Size& extent : (*tensor)->shape) {
      IndexPtr index = NewIndex("i", Span());
      SetRange(*index, Size(0), extent);
      own.insert(index->id);
      at.push_back(IndexScalar(*index, Span()));
    }
    CollectIndices(ElementAt(**tensor, at, Span()).expr, &ids, &seen);
    for (IndexId id : own) ids.erase(id);
  } else if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    for (const Value& element : (*list)->elements) ids.merge(FreeIndices(element));
  } else if (const auto* record = value.As<std::shared_ptr<Record>>()) {
    for (const auto& [name, field] : (*record)->fields) ids.merge(FreeIndices(field));
  }
  // Indices bound by reductions inside are not free.
  std::erase_if(ids, [&](IndexId id) {
    return std::none_of(in_force_.begin(), in_force_.end(),
                        [&](const IndexPtr& index) { return index->id == id; });
  });
  return ids;
}

}  // namespace weft::dsl::sema
