// `x if c else y` where c is computed and has no indices: one side is computed, if that is worth a branch.

#include <algorithm>
#include <iterator>
#include <utility>

#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// A reduction is worth a branch as statements are; arithmetic is not.
bool Elaborator::HasReduction(const ExprPtr& expr) {
  if (!expr) return false;
  if (std::get_if<Reduce>(&expr->node)) return true;
  if (const auto* cast = std::get_if<Cast>(&expr->node)) return HasReduction(cast->operand);
  const auto* apply = std::get_if<Apply>(&expr->node);
  return apply && std::any_of(apply->operands.begin(), apply->operands.end(), HasReduction);
}

// Under the indices of a call that is made for all of them at once there are both sides anyway.
Elaborator::Sides::Sides(Elaborator& elaborator, const Value& condition)
    : elaborator(elaborator), outside(elaborator.statements_) {
  const Scalar* scalar = condition.As<Scalar>();
  bool decides = scalar && scalar->type == ElementType::kBool && outside && !elaborator.generic_ &&
                 elaborator.under_indices_ == 0 && !IsOfSizes(*scalar->expr) &&
                 elaborator.FreeIndices(condition).empty();
  if (decides) this->condition = scalar;
}

// A side's statements, apart from those around it.
Value Elaborator::Sides::Eval(const ast::Expr& expr, std::vector<Statement>* body) {
  if (!condition) return elaborator.Eval(expr);
  elaborator.statements_ = body;
  Value value = elaborator.Eval(expr);
  elaborator.statements_ = outside;
  return value;
}

// What is not in a branch is computed before.
void Elaborator::Sides::Flush() {
  condition = nullptr;
  for (std::vector<Statement>* body : {&of_then, &of_otherwise}) {
    if (outside) std::move(body->begin(), body->end(), std::back_inserter(*outside));
    body->clear();
  }
}

// `both`: the value without a branch, whose type and shape say what the sides have in common.
Value Elaborator::Sides::Join(const Value& then, const Value& otherwise, const Value& both, Span span) {
  const Scalar* scalar = both.As<Scalar>();
  const TensorPtr* tensor = both.As<TensorPtr>();
  if (!condition || (!scalar && !tensor)) return both;
  // In a step a reduction costs less than what runs it or not.
  bool is_step = !elaborator.frame_->steps.empty();
  auto is_costly = [&](const Value& value, const std::vector<Statement>& body) {
    const Scalar* own = value.As<Scalar>();
    return !body.empty() || (!is_step && own && HasReduction(own->expr));
  };
  if (!is_costly(then, of_then) && !is_costly(otherwise, of_otherwise)) return both;
  std::vector<IndexPtr> around;
  std::set<IndexId> mentioned = elaborator.FreeIndices(then);
  mentioned.merge(elaborator.FreeIndices(otherwise));
  for (const IndexPtr& index : elaborator.IndicesAround()) {
    if (!mentioned.contains(index->id)) continue;
    bool is_plain = index->upper && !index->upper_value && index->lower && *index->lower == Size(0) &&
                    index->offset == Size(0);
    if (!is_plain) return both;
    around.push_back(index);
  }
  if (around.size() < mentioned.size()) return both;  // of an element that is asked for
  ElementType type = scalar ? scalar->type : (*tensor)->type;
  std::vector<Size> shape = scalar ? std::vector<Size>() : (*tensor)->shape;
  if (elaborator.IsFoundInside(shape, of_then) || elaborator.IsFoundInside(shape, of_otherwise)) return both;

  auto store = [&](const Value& value, std::vector<Statement>* body) -> TensorPtr {
    elaborator.statements_ = body;
    Value stored = elaborator.UnderIndices(around, span, [&]() -> Value {
      return elaborator.Materialize(elaborator.Spread(value, type, shape, span), elaborator.frame_->equation,
                                    span);
    });
    elaborator.statements_ = outside;
    return *stored.As<TensorPtr>();
  };
  Branch branch;
  TensorPtr condition_tensor =
      elaborator.Materialize(*elaborator.AsTensor(Value(*condition), span), "condition", span);
  branch.condition = condition_tensor->id;
  std::optional<std::pair<Size, Size>> range;
  if (type == ElementType::kInt) {
    std::optional<std::pair<Size, Size>> one = elaborator.GivenRange({then}),
                                         other = elaborator.GivenRange({otherwise});
    if (one && other) range = elaborator.Spanning(*one, *other);
  }
  TensorPtr stored = store(then, &of_then);
  branch.of_then = stored->id;
  branch.of_otherwise = store(otherwise, &of_otherwise)->id;
  const Tensor whole = elaborator.method_->tensors[stored->id];
  branch.result = elaborator.NewTensor(whole.name, whole.element, whole.shape, span);
  branch.then = std::exchange(of_then, {});
  branch.otherwise = std::exchange(of_otherwise, {});
  auto result = std::make_shared<TensorValue>(*stored);
  result->id = branch.result;
  result->range = range;
  elaborator.Emit(span, elaborator.frame_->equation, std::move(branch));
  if (!scalar) return TensorPtr(result);
  return elaborator.ElementAt(*result, {}, span);
}

// The value for every element of a tensor of this type and shape.
TensorPtr Elaborator::Spread(const Value& value, ElementType type, const std::vector<Size>& shape,
                             Span span) {
  auto spread = std::make_shared<TensorValue>();
  spread->type = type;
  spread->shape = shape;
  if (const TensorPtr* tensor = value.As<TensorPtr>()) {
    size_t skipped = shape.size() - (*tensor)->shape.size();
    spread->rule = [this, tensor = *tensor, type, skipped, span](const std::vector<Scalar>& at) {
      return CastTo(ElementAt(*tensor, {at.begin() + static_cast<ptrdiff_t>(skipped), at.end()}, span), type,
                    span);
    };
  } else {
    Scalar element = CastTo(*ToScalar(value, type, span), type, span);
    spread->rule = [element](const std::vector<Scalar>&) { return element; };
  }
  return spread;
}

// Whether a shape depends on sizes that are found in the statements.
bool Elaborator::IsFoundInside(const std::vector<Size>& shape, const std::vector<Statement>& statements) {
  std::set<int> found = FoundIn(statements);
  return std::any_of(shape.begin(), shape.end(), [&](const Size& size) {
    return std::any_of(found.begin(), found.end(), [&](int symbol) { return Mentions(size, symbol); });
  });
}

}  // namespace weft::dsl::sema
