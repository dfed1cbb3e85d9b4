// Reductions: mean, count and logsumexp in terms of the program's kinds (R13-R17).

#include <limits>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

std::optional<ReductionKind> KindOf(ast::ReductionWord word) {
  switch (word) {
    case ast::ReductionWord::kSum:
      return ReductionKind::kSum;
    case ast::ReductionWord::kProd:
      return ReductionKind::kProd;
    case ast::ReductionWord::kMax:
      return ReductionKind::kMax;
    case ast::ReductionWord::kMin:
      return ReductionKind::kMin;
    case ast::ReductionWord::kAny:
      return ReductionKind::kAny;
    case ast::ReductionWord::kAll:
      return ReductionKind::kAll;
    case ast::ReductionWord::kArgMax:
      return ReductionKind::kArgMax;
    case ast::ReductionWord::kArgMin:
      return ReductionKind::kArgMin;
    case ast::ReductionWord::kFirst:
      return ReductionKind::kFirst;
    case ast::ReductionWord::kLast:
      return ReductionKind::kLast;
    default:
      return std::nullopt;
  }
}

bool IsFloat(ElementType type) { return type >= ElementType::kF16; }

}  // namespace

// Brings the indices of a binder into force; appends them in order.
bool Elaborator::BindBinder(const ast::Binder& binder, std::vector<IndexPtr>* out) {
  auto& scope = frame_->scopes.back();
  switch (binder.kind) {
    case ast::Binder::Kind::kGroup:
      for (const ast::Binder& member : binder.members) {
        if (!BindBinder(member, out)) return false;
      }
      return true;
    case ast::Binder::Kind::kPack: {
      Binding binding;
      binding.is_pack = true;
      binding.span = binder.span;
      std::string pack = binder.name.text;
      if (!pack.empty()) pack[0] = static_cast<char>(std::toupper(pack[0]));
      auto sizes = frame_->size_packs.find(pack);
      if (sizes == frame_->size_packs.end()) {
        Report(binder.span, kUnknownName, absl::StrCat("..", pack));
        return false;
      }
      for (size_t i = 0; i < sizes->second.size(); ++i) {
        IndexPtr index = NewIndex(absl::StrCat(binder.name.text, i), binder.span);
        SetRange(*index, Size(0), sizes->second[i]);
        binding.pack.push_back(index);
        out->push_back(index);
        in_force_.push_back(index);
      }
      scope[binder.name.text] = std::move(binding);
      return true;
    }
    case ast::Binder::Kind::kIndex: {
      if (!CheckFresh(binder.name.text, binder.name.span)) return false;
      IndexPtr index = NewIndex(binder.name.text, binder.name.span);
      if (binder.bound != ast::Binder::Bound::kNone) {
        index->written = true;
        left_indices_written_.insert(index->symbol);
        Value limit = Eval(*binder.limit);
        if (limit.IsPoison()) return false;
        if (binder.bound == ast::Binder::Bound::kIn) {
          // `u in lo..hi` with bounds that only data knows is evaluated below, where the range is written
          // out.
          const RangeValue* range = limit.As<RangeValue>();
          if (!range) {
            Report(binder.limit->span, kTypeMismatch,
                   absl::StrCat("after `in` stands a range, not ", Describe(limit)));
            return false;
          }
          SetRange(*index, range->from, range->to);
        } else if (limit.As<Scalar>() || limit.As<TensorPtr>()) {
          std::optional<Scalar> upper = ToScalar(limit, ElementType::kInt, binder.limit->span);
          if (!upper) return false;
          if (upper->type != ElementType::kInt) {
            Report(binder.limit->span, kTypeMismatch, "the end of an index is an int");
            return false;
          }
          if (binder.bound == ast::Binder::Bound::kAtMost) {
            upper = Call2(Function::kAdd, *upper, SizeScalar(Size(1), binder.span), ElementType::kInt,
                          binder.span);
          }
          index->upper_value = upper;
          if (upper->form) SetRange(*index, Size(0), *upper->form);
        } else {
          std::optional<Size> upper = AsSize(limit, binder.limit->span, "the end of an index");
          if (!upper) return false;
          SetRange(*index, Size(0), binder.bound == ast::Binder::Bound::kAtMost ? *upper + Size(1) : *upper);
        }
      }
      Binding binding;
      binding.index = index;
      binding.span = binder.span;
      scope[binder.name.text] = std::move(binding);
      out->push_back(index);
      in_force_.push_back(index);
      return true;
    }
    default:
      Report(binder.span, kInvalidExpression, "this cannot stand among the indices here");
      return false;
  }
}

Value Elaborator::EvalReduction(const ast::Expr& expr, const ast::Reduction& node,
                                const ast::Expr* otherwise) {
  using Word = ast::ReductionWord;
  std::string word = ast::Spelling(node.word);
  if (node.word == Word::kFilter || node.word == Word::kArgSort || node.word == Word::kTopK) {
    return Unsupported(node.word_span, absl::StrCat("`", word, "`"));
  }
  Span span = expr.span;
  frame_->scopes.emplace_back();
  size_t in_force_before = in_force_.size();
  std::vector<Fact> facts_before = facts_;
  std::vector<IndexPtr> indices;
  Value body, condition;
  bool ok = true;
  for (const ast::Binder& binder : node.binders) {
    const ast::Range* range =
        binder.bound == ast::Binder::Bound::kIn ? binder.limit->As<ast::Range>() : nullptr;
    if (!range) {
      ok = ok && BindBinder(binder, &indices);
      continue;
    }
    // Bounds may be data: each side is a size or an int.
    ok = CheckFresh(binder.name.text, binder.name.span) && ok;
    IndexPtr index = NewIndex(binder.name.text, binder.name.span);
    index->written = true;
    left_indices_written_.insert(index->symbol);
    Value from = Eval(*range->from), to = Eval(*range->to);
    auto bound = [&](const Value& value, Span where) -> std::optional<Scalar> {
      if (value.IsPoison()) return std::nullopt;
      if (value.IsNumber() && !value.As<bool>()) {
        std::optional<Size> size = AsSize(value, where, "the bound of an index");
        return size ? std::optional<Scalar>(SizeScalar(*size, where)) : std::nullopt;
      }
      std::optional<Scalar> scalar = ToScalar(value, ElementType::kInt, where);
      if (scalar && scalar->type != ElementType::kInt) {
        Report(where, kTypeMismatch, "the bound of an index is an int");
        return std::nullopt;
      }
      return scalar;
    };
    std::optional<Scalar> lower = bound(from, range->from->span), upper = bound(to, range->to->span);
    if (!lower || !upper) {
      ok = false;
      continue;
    }
    index->lower_value = lower;
    index->upper_value = upper;
    Size low = lower->form ? *lower->form : Size::Symbol(next_symbol_++, "value");
    Size high = upper->form ? *upper->form : Size::Symbol(next_symbol_++, "value");
    SetRange(*index, low, high);
    Binding binding;
    binding.index = index;
    binding.span = binder.span;
    frame_->scopes.back()[binder.name.text] = std::move(binding);
    indices.push_back(index);
    in_force_.push_back(index);
  }
  if (ok && node.condition) {
    condition = Eval(*node.condition);
    if (const Scalar* scalar = condition.As<Scalar>()) {
      facts_.insert(facts_.end(), scalar->if_true.begin(), scalar->if_true.end());
    } else if (!condition.As<bool>()) {
      if (!condition.IsPoison())
        Report(node.condition->span, kTypeMismatch, "after `where` stands a condition");
      ok = false;
    }
  }
  if (ok) body = Eval(*node.body);
  facts_ = facts_before;
  frame_->scopes.pop_back();
  in_force_.resize(in_force_before);
  if (!ok || body.IsPoison()) return Poison{};
  for (const IndexPtr& index : indices) {
    if (!index->upper && !index->upper_value) {
      Report(index->span, kUnrangedIndex, index->name);
      return Poison{};
    }
  }

  std::vector<Binder> binders;
  for (const IndexPtr& index : indices) {
    Scalar lower =
        index->lower_value ? *index->lower_value : SizeScalar(index->lower.value_or(Size(0)), span);
    Scalar upper = index->upper_value ? *index->upper_value : SizeScalar(*index->upper, span);
    binders.push_back({index->id, index->name, lower.expr, upper.expr});
  }
  ExprPtr where;
  if (const Scalar* scalar = condition.As<Scalar>()) {
    if (scalar->type != ElementType::kBool) {
      Report(node.condition->span, kTypeMismatch, "after `where` stands a condition");
      return Poison{};
    }
    where = scalar->expr;
  } else if (const bool* truth = condition.As<bool>(); truth && !*truth) {
    where = Literal(ElementType::kBool, 0, span).expr;
  }
  bool non_empty = [&] {
    if (where) return false;
    for (const IndexPtr& index : indices) {
      if (!index->upper || !index->lower) return false;
      Size length = *index->upper - *index->lower;
      if (!MakeProver({length}, facts_).IsPositive(length)) return false;
    }
    return true;
  }();
  Value empty_value;
  if (otherwise) {
    empty_value = Eval(*otherwise);
    if (empty_value.IsPoison()) return Poison{};
  }

  auto reduce = [this, binders, where, span](ReductionKind kind, const Scalar& element, ElementType type,
                                             const ExprPtr& empty) {
    return Make(type, span, Reduce{kind, binders, where, element.expr, empty});
  };
  auto finish = [this, node = &node, word, span, reduce, otherwise, empty_value, non_empty,
                 indices](const Scalar& element) -> Value {
    auto empty = [&](ElementType type) -> ExprPtr {
      if (!otherwise) return nullptr;
      std::optional<Scalar> scalar = ToScalar(empty_value, type, otherwise->span);
      return scalar ? CastTo(*scalar, type, otherwise->span).expr : nullptr;
    };
    bool conditions = node->word == Word::kAny || node->word == Word::kAll || node->word == Word::kCount;
    if (conditions != (element.type == ElementType::kBool) && node->word != Word::kFirst &&
        node->word != Word::kLast) {
      Report(node->body->span, kTypeMismatch,
             conditions ? absl::StrCat("`", word, "` needs a condition")
                        : absl::StrCat("`", word, "` needs numbers; conditions are counted by `count`"));
      return Poison{};
    }
    switch (node->word) {
      case Word::kCount: {
        Scalar one =
            Select(element, Literal(ElementType::kInt, 1, span), Literal(ElementType::kInt, 0, span), span);
        ExprPtr sum = reduce(ReductionKind::kSum, one, ElementType::kInt, empty(ElementType::kInt));
        Size most(1);
        for (const IndexPtr& index : indices) {
          if (!index->upper || !index->lower) return Unknown("count", ElementType::kInt, sum, {}, {});
          most = most * (*index->upper - *index->lower);
        }
        return Unknown("count", ElementType::kInt, sum, Size(0), most + Size(1));
      }
      case Word::kMean: {
        ElementType type = IsFloat(element.type) ? element.type : FloatType();
        Scalar value = CastTo(element, type, span);
        Scalar sum{reduce(ReductionKind::kSum, value, type, nullptr), type, {}, {}, {}};
        Scalar count{
            reduce(ReductionKind::kSum, Literal(ElementType::kInt, 1, span), ElementType::kInt, nullptr),
            ElementType::kInt,
            {},
            {},
            {}};
        Size product(1);
        bool known = !std::get<Reduce>(sum.expr->node).condition;
        for (const IndexPtr& index : indices) {
          known = known && index->upper && index->lower && !index->upper_value;
          if (known) product = product * (*index->upper - *index->lower);
        }
        Scalar many = known ? *ToScalar(Value(product), type, span) : CastTo(count, type, span);
        Scalar quotient = Call2(Function::kDiv, sum, CastTo(many, type, span), type, span);
        if (!otherwise) return quotient;
        Scalar none = Call2(Function::kEq, many, Literal(type, 0, span), ElementType::kBool, span);
        std::optional<Scalar> value_if_none = ToScalar(empty_value, type, otherwise->span);
        if (!value_if_none) return Poison{};
        return Select(none, CastTo(*value_if_none, type, span), quotient, span);
      }
      case Word::kLogSumExp: {
        ElementType type = IsFloat(element.type) ? element.type : FloatType();
        Scalar value = CastTo(element, type, span);
        double inf = std::numeric_limits<double>::infinity();
        Scalar peak{
            reduce(ReductionKind::kMax, value, type, Literal(type, -inf, span).expr), type, {}, {}, {}};
        // Infinite peaks are subtracted as 0: inf - inf is no number.
        Scalar size = Call1(Function::kAbs, peak, span);
        Scalar finite = Call2(Function::kLt, size, Literal(type, inf, span), ElementType::kBool, span);
        Scalar shift = Select(finite, peak, Literal(type, 0, span), span);
        Scalar moved = Call1(Function::kExp, Call2(Function::kSub, value, shift, type, span), span);
        Scalar sum{reduce(ReductionKind::kSum, moved, type, nullptr), type, {}, {}, {}};
        Scalar result = Call2(Function::kAdd, Call1(Function::kLog, sum, span), shift, type, span);
        if (!otherwise) return result;
        Scalar lowest = Call2(Function::kEq, sum, Literal(type, 0, span), ElementType::kBool, span);
        std::optional<Scalar> value_if_none = ToScalar(empty_value, type, otherwise->span);
        if (!value_if_none) return Poison{};
        return Select(lowest, CastTo(*value_if_none, type, span), result, span);
      }
      case Word::kArgMax:
      case Word::kArgMin: {
        if (indices.size() != 1) {
          return Unsupported(span, absl::StrCat("`", word, "` over several indices"));
        }
        if (!otherwise && !non_empty) {
          if (!generic_) Report(span, kEmptyReduction, word);
          if (!generic_) return Poison{};
        }
        ReductionKind kind = *KindOf(node->word);
        const Index& index = *indices[0];
        Size lower = index.lower.value_or(Size(0));
        bool counts_from_zero = lower == Size(0) && !index.lower_value;
        Scalar base = index.lower_value ? *index.lower_value : SizeScalar(lower, span);
        ExprPtr none = empty(ElementType::kInt);
        if (none && !counts_from_zero) {  // what stands for an empty one is no position in the range
          Scalar otherwise_at{none, ElementType::kInt, {}, {}, {}};
          none = Call2(Function::kSub, otherwise_at, base, ElementType::kInt, span).expr;
        }
        ExprPtr position = reduce(kind, element, ElementType::kInt, none);
        if (!counts_from_zero) {
          Scalar at{position, ElementType::kInt, {}, {}, {}};
          position = Call2(Function::kAdd, at, base, ElementType::kInt, span).expr;
        }
        if (!index.upper || !index.lower) return Unknown(word, ElementType::kInt, position, {}, {});
        if (!otherwise) return Unknown(word, ElementType::kInt, position, *index.lower, *index.upper);
        std::optional<Scalar> stand_in = ToScalar(empty_value, ElementType::kInt, otherwise->span);
        if (!stand_in || !stand_in->form) return Unknown(word, ElementType::kInt, position, {}, {});
        return Unknown(word, ElementType::kInt, position, Minimum(*index.lower, *stand_in->form),
                       Maximum(*index.upper, *stand_in->form + Size(1)));
      }
      default: {
        ReductionKind kind = *KindOf(node->word);
        bool needs = kind == ReductionKind::kFirst || kind == ReductionKind::kLast ||
                     ((kind == ReductionKind::kMax || kind == ReductionKind::kMin) && !IsFloat(element.type));
        if (needs && !otherwise && !non_empty) {
          if (!generic_) Report(span, kEmptyReduction, word);
          if (!generic_) return Poison{};
        }
        ExprPtr value = reduce(kind, element, element.type, empty(element.type));
        return Unknown(word, element.type, value, {}, {});
      }
    }
  };

  // A row of a tensor is reduced where the axis kept is written; leaf by leaf.
  if (const TensorPtr* row = body.As<TensorPtr>(); row && !(*row)->shape.empty()) {
    const auto* access = node.body->As<ast::Subscript>();
    if (access) {
      bool written = false;
      for (const auto& item : access->items) written |= item.kind != ast::Subscript::Item::Kind::kAt;
      if (!written) {
        Report(node.body->span, kMixedRows,
               absl::StrCat("this is a row ", ShapeText((*row)->shape),
                            "; write the axis that is kept, `:`, or subscript it"));
        return Poison{};
      }
    }
    return Elementwise({body}, span, [this, finish, span](const std::vector<Value>& v) -> Value {
      std::optional<Scalar> scalar = ToScalar(v[0], std::nullopt, span);
      return scalar ? finish(*scalar) : Value(Poison{});
    });
  }
  if (body.As<std::shared_ptr<ListValue>>()) {
    return Elementwise({body}, span, [this, finish, span](const std::vector<Value>& v) -> Value {
      std::optional<Scalar> scalar = ToScalar(v[0], std::nullopt, span);
      return scalar ? finish(*scalar) : Value(Poison{});
    });
  }
  std::optional<ElementType> want;
  if (body.As<double>()) want = FloatType();
  std::optional<Scalar> scalar = ToScalar(body, want, node.body->span);
  return scalar ? finish(*scalar) : Value(Poison{});
}

}  // namespace weft::dsl::sema
