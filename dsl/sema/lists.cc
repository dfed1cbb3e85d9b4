// The compile-time layer: lists, comprehensions, patterns (R25-R27).

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

Value Elaborator::EvalList(const ast::Expr& expr, const ast::List& node) {
  auto list = std::make_shared<ListValue>();
  for (ast::ExprPtr element : node.elements) {
    Value value = EvalOptional(*element, *element);
    if (value.IsPoison()) return Poison{};
    if (!value.IsAbsent()) list->elements.push_back(std::move(value));
  }
  return list;
}

Value Elaborator::EvalRepeat(const ast::Expr& expr, const ast::Repeat& node) {
  std::optional<int64_t> count = AsWholeNumber(Eval(*node.count), node.count->span, "the length of a list");
  if (!count) return Poison{};
  if (*count < 0 || *count > kLongestList) {
    Report(node.count->span, kInvalidExpression, absl::StrCat("a list cannot have ", *count, " elements"));
    return Poison{};
  }
  auto list = std::make_shared<ListValue>();
  for (int64_t i = 0; i < *count; ++i) {  // each its own: a model has its own weights
    frame_->rounds.push_back(i);
    Value value = Eval(*node.element);
    frame_->rounds.pop_back();
    if (value.IsPoison()) return Poison{};
    if (!value.IsAbsent()) list->elements.push_back(std::move(value));
  }
  return list;
}

bool Elaborator::Elements(const Value& value, Span span, std::vector<Value>* out) {
  if (value.IsPoison()) return false;
  if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    *out = (*list)->elements;
    return true;
  }
  if (const RangeValue* range = value.As<RangeValue>()) {
    for (const auto& [end, what] : {std::pair(range->from, "start"), std::pair(range->to, "end")}) {
      if (generic_ || end.AsInteger() || end.AsRational()) continue;
      Report(span, kForSize, "`for`", absl::StrCat("the ", what, " of its range"), end.ToString())
          .Suggest(
              "an index goes along a size: `y[i] = ...`, `sum(i) ...`; steps that need earlier ones are a "
              "`rec`");
      return false;
    }
    std::optional<int64_t> from = AsWholeNumber(Value(range->from), span, "the start of this range");
    std::optional<int64_t> to = AsWholeNumber(Value(range->to), span, "the end of this range");
    if (!from || !to) return false;
    if (*to - *from > kLongestList) {
      Report(span, kTooMuchWork, kLongestList);
      return false;
    }
    for (int64_t i = *from; i < *to; ++i) out->push_back(Size(i));
    return true;
  }
  if (const TensorPtr* tensor = value.As<TensorPtr>(); tensor && !(*tensor)->shape.empty()) {
    std::optional<int64_t> count = (*tensor)->shape[0].AsInteger();
    if (count && *count <= kLongestList) {
      for (int64_t i = 0; i < *count; ++i) {
        std::vector<Slot> slots(1);
        slots[0].fixed = Position{SizeScalar(Size(i), span), Outside::kInside};
        std::vector<Size> shape((*tensor)->shape.begin() + 1, (*tensor)->shape.end());
        for (size_t axis = 0; axis < shape.size(); ++axis) {
          Slot slot;
          slot.axis = static_cast<int>(axis);
          slots.push_back(slot);
        }
        out->push_back(ApplySlots(*tensor, slots, shape, nullptr, span));
      }
      return true;
    }
  }
  if (generic_ && value.As<TensorPtr>()) return false;  // an instance may know how long it is
  Report(span, kStage, "what is gone through",
         absl::StrCat("a list or a range known when compiling, not ", Describe(value)));
  return false;
}

void Elaborator::BindItem(const ast::Pattern::Item& item, const Value& value) {
  if (item.inner.empty()) {
    Binding binding;
    binding.value = value;
    binding.span = item.span;
    frame_->scopes.back()[item.name.text] = std::move(binding);
    return;
  }
  std::vector<Value> elements;
  bool is_known = !value.IsPoison() && Elements(value, item.span, &elements);
  if (is_known && elements.size() != item.inner.size()) {
    Report(item.span, kTypeMismatch, absl::StrCat(item.inner.size(), " names for ", Describe(value)));
    elements.clear();
  }
  for (size_t i = 0; i < item.inner.size(); ++i) {
    BindItem(item.inner[i], i < elements.size() ? elements[i] : Value(Poison{}));
  }
}

void Elaborator::BindPattern(const ast::Pattern& pattern, const Value& value) {
  if (pattern.items.size() == 1) {
    BindItem(pattern.items[0], value);
    return;
  }
  ast::Pattern::Item all;
  all.inner = pattern.items;
  all.span = pattern.span;
  BindItem(all, value);
}

Value Elaborator::EvalComprehension(const ast::Expr& expr, const ast::Comprehension& node) {
  auto list = std::make_shared<ListValue>();
  bool ok = true;
  std::function<void(size_t)> clause = [&](size_t i) {
    if (!ok || !Work(expr.span)) {
      ok = false;
      return;
    }
    if (i == node.clauses.size()) {
      if (node.condition) {
        Value condition = Eval(*node.condition);
        std::optional<bool> holds = AsCondition(condition);
        if (!holds) {
          if (!condition.IsPoison() && !IsOpenNumber(condition)) {
            Report(node.condition->span, kStage, "the condition of a list",
                   absl::StrCat("known when compiling, not ", Describe(condition)));
          }
          ok = false;
          return;
        }
        if (!*holds) return;
      }
      Value element = Eval(*node.element);
      if (element.IsPoison()) {
        ok = false;
      } else if (!element.IsAbsent()) {
        list->elements.push_back(std::move(element));
      }
      return;
    }
    std::vector<Value> elements;
    if (!Elements(Eval(*node.clauses[i].range), node.clauses[i].range->span, &elements)) {
      ok = false;
      return;
    }
    for (const Value& element : elements) {
      frame_->scopes.emplace_back();
      frame_->rounds.push_back(&element - elements.data());
      BindPattern(node.clauses[i].pattern, element);
      clause(i + 1);
      frame_->rounds.pop_back();
      frame_->scopes.pop_back();
    }
  };
  clause(0);
  if (!ok) return Poison{};
  return list;
}

}  // namespace weft::dsl::sema
