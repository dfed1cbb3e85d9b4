// Records behave leaf by leaf (R33): results of several names, the weights of a model, lists within them.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

bool IsRecord(const Value& value) { return value.As<std::shared_ptr<Record>>() != nullptr; }

// The names and values right below a record, or a list in one.
std::vector<std::pair<std::string, Value>> Branches(const Value& value) {
  if (const auto* record = value.As<std::shared_ptr<Record>>()) return (*record)->fields;
  std::vector<std::pair<std::string, Value>> branches;
  if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    for (const Value& element : (*list)->elements)
      branches.emplace_back(absl::StrCat(branches.size()), element);
  }
  return branches;
}

bool IsBranching(const Value& value) { return IsRecord(value) || value.As<std::shared_ptr<ListValue>>(); }

// Whether an expression reduces over a pack or looks at all elements of something at once.
bool Mixes(const ast::Expr& expr) {
  if (const auto* reduction = expr.As<ast::Reduction>()) {
    for (const ast::Binder& binder : reduction->binders) {
      if (binder.kind == ast::Binder::Kind::kPack) return true;
    }
  }
  if (const auto* call = expr.As<ast::Call>()) {
    const auto* name = call->callee->As<ast::Ref>();
    if (name && (name->name == "total" || name->name == "flatten")) return true;
  }
  bool mixes = false;
  ast::ForEachChild(expr, [&](const ast::Expr& child) { mixes = mixes || Mixes(child); });
  return mixes;
}

bool Mixes(const ast::Block& block) {
  return std::any_of(block.statements.begin(), block.statements.end(), [](ast::StmtPtr stmt) {
    if (const auto* equation = stmt->As<ast::Equation>()) return Mixes(*equation->value);
    if (const auto* loop = stmt->As<ast::For>()) return Mixes(loop->body);
    return stmt->As<ast::Rec>() != nullptr;
  });
}

bool IsOnlyPack(const ast::TypeExpr* type) {
  const auto* named = type ? type->As<ast::NamedType>() : nullptr;
  return named && named->sizes.size() == 1 && named->sizes[0].kind == ast::SizeExpr::Kind::kPack;
}

}  // namespace

bool HoldsRecord(const std::vector<Value>& values) {
  return std::any_of(values.begin(), values.end(), IsRecord);
}

// Whether an op may be applied to each leaf on its own: it works on tensors of any shape, element by element.
bool WorksByLeaf(const ast::Signature& signature, const ast::Block& body) {
  return !Mixes(body) &&
         std::all_of(signature.params.data.begin(), signature.params.data.end(),
                     [](const ast::Param& param) { return IsOnlyPack(param.type); }) &&
         std::all_of(signature.results.begin(), signature.results.end(),
                     [](const ast::Result& result) { return !result.type || IsOnlyPack(result.type); });
}

// Applies `function` to the leaves at the same place of all operands that are records; others go to each.
Value Elaborator::ByLeaf(const std::vector<Value>& operands, Span span,
                         const std::function<Value(const std::vector<Value>&)>& function) {
  auto pattern = std::find_if(operands.begin(), operands.end(), IsBranching);
  if (pattern == operands.end()) return function(operands);
  auto branches = Branches(*pattern);
  std::vector<Value> results;
  for (size_t i = 0; i < branches.size(); ++i) {
    std::vector<Value> parts;
    for (const Value& operand : operands) {
      if (!IsBranching(operand)) {
        parts.push_back(operand);
        continue;
      }
      auto own = Branches(operand);
      if (own.size() != branches.size() || IsRecord(operand) != IsRecord(*pattern) ||
          own[i].first != branches[i].first) {
        Report(span, kTypeMismatch, "records go together only if all their paths are equal");
        return Poison{};
      }
      parts.push_back(own[i].second);
    }
    results.push_back(ByLeaf(parts, span, function));
    if (results.back().IsPoison()) return Poison{};
  }
  if (!IsRecord(*pattern)) return std::make_shared<ListValue>(ListValue{std::move(results)});
  auto record = std::make_shared<Record>();
  for (size_t i = 0; i < branches.size(); ++i) record->fields.emplace_back(branches[i].first, results[i]);
  return record;
}

// Every tensor or scalar in it, in the order of the text.
std::vector<Value> Elaborator::Leaves(const Value& value) {
  if (!IsBranching(value)) return {value};
  std::vector<Value> leaves;
  for (const auto& [name, branch] : Branches(value)) {
    for (Value& leaf : Leaves(branch)) leaves.push_back(std::move(leaf));
  }
  return leaves;
}

// The sum of all elements, of every leaf.
Value Elaborator::CallTotal(const Value& value, Span span) {
  Value sum;
  for (const Value& leaf : Leaves(value)) {
    std::optional<TensorPtr> tensor = AsTensor(leaf, span);
    if (!tensor) return Poison{};
    if ((*tensor)->type == ElementType::kBool) {
      Report(span, kTypeMismatch, "`total` needs numbers; conditions are counted by `count`");
      return Poison{};
    }
    std::vector<Scalar> at;
    std::vector<Binder> binders;
    for (const Size& extent : (*tensor)->shape) {
      IndexPtr index = NewIndex(absl::StrCat("i", at.size()), span);
      SetRange(*index, Size(0), extent);
      at.push_back(IndexScalar(*index, span));
      binders.push_back(
          {index->id, index->name, SizeScalar(Size(0), span).expr, SizeScalar(extent, span).expr});
    }
    Scalar element = ElementAt(**tensor, at, span);
    ExprPtr all =
        binders.empty()
            ? element.expr
            : Make(element.type, span, Reduce{ReductionKind::kSum, binders, nullptr, element.expr, nullptr});
    Value part = Unknown("total", element.type, all, {}, {});
    sum = sum.IsPoison() ? part : ScalarBinary(ast::BinaryOp::kAdd, sum, part, span);
    if (sum.IsPoison()) return Poison{};
  }
  return sum.IsPoison() ? Value(Size(0)) : sum;
}

// All elements one after the other, in row-major order.
TensorPtr Elaborator::Flat(const TensorPtr& tensor, Span span) {
  if (tensor->shape.size() == 1) return tensor;
  if (tensor->shape.empty()) {
    auto row = std::make_shared<TensorValue>();
    row->type = tensor->type;
    row->shape = {Size(1)};
    row->rule = [this, tensor, span](const std::vector<Scalar>&) { return ElementAt(*tensor, {}, span); };
    return row;
  }
  Size count(1);
  std::vector<std::vector<int>> groups(1);
  for (const Size& extent : tensor->shape) {
    count = count * extent;
    groups[0].push_back(static_cast<int>(groups[0].size()));
  }
  TensorId source = Materialize(tensor, "whole", span)->id;
  TensorId id = NewTensor("flat", tensor->type, {count}, span);
  Emit(span, "flat", Collapse{id, source, groups});
  return StoredTensor(id);
}

Value Elaborator::CallFlatten(const Value& value, Span span) {
  std::vector<TensorPtr> parts;
  auto list = std::make_shared<ListValue>();
  for (const Value& leaf : Leaves(value)) {
    std::optional<TensorPtr> tensor = AsTensor(leaf, span);
    if (!tensor) return Poison{};
    list->elements.push_back(Flat(Stored(*tensor, "part", span), span));
  }
  Arguments args;
  args.data.push_back({list, span});
  return CallConcat(args, span);
}

// The elements of a vector in the shapes of the leaves of `like`.
Value Elaborator::CallUnflatten(const Value& vector, const Value& like, Span span) {
  std::optional<TensorPtr> flat = AsTensor(vector, span);
  if (!flat) return Poison{};
  if ((*flat)->shape.size() != 1) {
    Report(span, kRankMismatch, "what `unflatten` takes apart", ShapeText((*flat)->shape),
           "one axis expected");
    return Poison{};
  }
  TensorPtr source = Stored(*flat, "flat", span);
  Size offset;
  Value result = ByLeaf({like}, span, [&](const std::vector<Value>& leaf) -> Value {
    std::optional<TensorPtr> model = AsTensor(leaf[0], span);
    if (!model) return Poison{};
    auto part = std::make_shared<TensorValue>();
    part->type = source->type;
    part->shape = (*model)->shape;
    Size begin = offset, count(1);
    for (const Size& extent : part->shape) count = count * extent;
    offset = offset + count;
    part->rule = [this, source, begin, shape = part->shape, span](const std::vector<Scalar>& at) {
      Scalar position = SizeScalar(Size(0), span);
      for (size_t axis = 0; axis < at.size(); ++axis) {
        Scalar extent = SizeScalar(shape[axis], span);
        position = Call2(Function::kMul, position, extent, ElementType::kInt, span);
        position = Call2(Function::kAdd, position, at[axis], ElementType::kInt, span);
      }
      position = Call2(Function::kAdd, position, SizeScalar(begin, span), ElementType::kInt, span);
      return ElementAt(*source, {position}, span);
    };
    return part->shape.empty() ? Value(ElementAt(*part, {}, span)) : Value(Materialize(part, "part", span));
  });
  if (result.IsPoison()) return Poison{};
  if (!RequireEqual((*flat)->shape[0], offset, span, "the elements that `unflatten` gets and needs"))
    return Poison{};
  return result;
}

// The weights of a model and of its parts, under the names of the members.
Value Elaborator::ParamsOf(const Value& value, Span span) {
  if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    auto params = std::make_shared<ListValue>();
    for (const Value& element : (*list)->elements) params->elements.push_back(ParamsOf(element, span));
    return params;
  }
  auto params = std::make_shared<Record>();
  const ModelPtr* model = value.As<ModelPtr>();
  if (!model) return params;
  for (const ast::Member* member : (*model)->model->members) {
    if (const auto* stored = member->As<ast::StoredMember>();
        stored && stored->kind == ast::StoredMember::Kind::kParam) {
      Value weight = WeightValue(*model, *stored, span);
      if (weight.IsPoison()) return Poison{};
      if (!weight.IsAbsent()) params->fields.emplace_back(stored->name.text, weight);
    } else if (const auto* sub = member->As<ast::SubModel>()) {
      auto part = (*model)->members.find(sub->name.text);
      if (part == (*model)->members.end() || part->second.IsAbsent()) continue;
      if (part->second.IsPoison()) return Poison{};
      params->fields.emplace_back(sub->name.text, ParamsOf(part->second, span));
    }
  }
  return params;
}

}  // namespace weft::dsl::sema
