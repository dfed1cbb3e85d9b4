// Records behave leaf by leaf (R33): results of several names, the weights of a model, lists within them.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

bool IsBranching(const Value& value) {
  return value.As<std::shared_ptr<Record>>() || value.As<std::shared_ptr<ListValue>>();
}

// Of a tensor or a scalar.
std::optional<std::vector<Size>> ShapeOf(const Value& leaf) {
  if (const TensorPtr* tensor = leaf.As<TensorPtr>()) return (*tensor)->shape;
  return leaf.As<Scalar>() ? std::optional(std::vector<Size>()) : std::nullopt;
}

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

// Of any shape, or the same number for all leaves.
bool GoesByLeaf(const ast::Param& param) {
  const auto* named = param.type->As<ast::NamedType>();
  bool is_scalar = named && named->sizes.empty() && named->path.parts.size() == 1;
  return is_scalar || IsOnlyPack(param.type);
}

}  // namespace

bool IsRecord(const Value& value) {
  if (value.As<std::shared_ptr<Record>>()) return true;
  const auto* list = value.As<std::shared_ptr<ListValue>>();
  return list && std::any_of((*list)->elements.begin(), (*list)->elements.end(), IsRecord);
}

std::vector<std::pair<std::string, Value>> Branches(const Value& value) {
  if (const auto* record = value.As<std::shared_ptr<Record>>()) return (*record)->fields;
  std::vector<std::pair<std::string, Value>> branches;
  if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    for (const Value& element : (*list)->elements)
      branches.emplace_back(absl::StrCat(branches.size()), element);
  }
  return branches;
}

Value WithBranches(const Value& like, std::vector<Value> parts) {
  if (like.As<std::shared_ptr<ListValue>>()) return std::make_shared<ListValue>(ListValue{std::move(parts)});
  auto record = std::make_shared<Record>();
  for (const auto& [name, branch] : Branches(like))
    record->fields.emplace_back(name, std::move(parts[record->fields.size()]));
  return record;
}

bool HoldsRecord(const std::vector<Value>& values) {
  return std::any_of(values.begin(), values.end(), IsRecord);
}

// Whether an op may be applied to each leaf on its own: it works on tensors of any shape, element by element.
bool WorksByLeaf(const ast::Signature& signature, const ast::Block& body) {
  return !Mixes(body) &&
         std::all_of(signature.params.data.begin(), signature.params.data.end(), GoesByLeaf) &&
         std::all_of(signature.results.begin(), signature.results.end(),
                     [](const ast::Result& result) { return !result.type || IsOnlyPack(result.type); });
}

// Whether two records have the same paths and, if that is asked, the same shapes; what differs is reported.
bool Elaborator::AreAlike(const Value& a, const Value& b, bool same_shapes, Span span,
                          const std::string& path) {
  auto below = [&](const std::string& name) { return path.empty() ? name : absl::StrCat(path, ".", name); };
  if (!IsBranching(a) && !IsBranching(b)) {
    std::optional<std::vector<Size>> one = ShapeOf(a), other = ShapeOf(b);
    bool is_same = !one || !other || one->size() == other->size();
    for (size_t axis = 0; is_same && one && other && axis < one->size(); ++axis)
      is_same = Compare((*one)[axis], (*other)[axis]) != Comparison::kDifferent;
    if (!same_shapes || is_same) return true;
    Report(span, kRecordMismatch,
           absl::StrCat("`", path, "` is ", ShapeText(*one), " in one and ", ShapeText(*other),
                        " in the other"));
    return false;
  }
  auto parts = Branches(a), others = Branches(b);
  auto lacks = [&](const auto& these, const auto& those) {
    for (const auto& [name, part] : these) {
      bool is_there = std::any_of(those.begin(), those.end(),
                                  [&, &own = name](const auto& other) { return other.first == own; });
      if (is_there) continue;
      Report(span, kRecordMismatch, absl::StrCat("one has `", below(name), "`, the other has not"));
      return true;
    }
    return false;
  };
  if (lacks(parts, others) || lacks(others, parts)) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first != others[i].first) {
      Report(span, kRecordMismatch, "their parts stand in another order");
      return false;
    }
    if (!AreAlike(parts[i].second, others[i].second, same_shapes, span, below(parts[i].first))) return false;
  }
  return true;
}

// Applies `function` to the leaves at the same place of all operands that are records; others go to each.
Value Elaborator::ByLeaf(const std::vector<Value>& operands, Span span,
                         const std::function<Value(const std::vector<Value>&)>& function, bool same_shapes) {
  auto pattern = std::find_if(operands.begin(), operands.end(), IsBranching);
  if (pattern == operands.end()) return function(operands);
  for (const Value& operand : operands) {
    if (operand.IsPoison()) return Poison{};
    if (IsBranching(operand) && !AreAlike(*pattern, operand, same_shapes, span)) return Poison{};
  }
  std::function<Value(const std::vector<Value>&, const Value&)> descend =
      [&](const std::vector<Value>& values, const Value& like) -> Value {
    if (!IsBranching(like)) return function(values);
    std::vector<Value> results;
    auto branches = Branches(like);
    for (size_t i = 0; i < branches.size(); ++i) {
      std::vector<Value> parts;
      for (const Value& value : values)
        parts.push_back(IsBranching(value) ? Branches(value)[i].second : value);
      results.push_back(descend(parts, branches[i].second));
      if (results.back().IsPoison()) return Poison{};
    }
    return WithBranches(like, std::move(results));
  };
  return descend(operands, *pattern);
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

}  // namespace weft::dsl::sema
