// Reductions: mean, count and logsumexp in terms of the program's kinds (R13-R17).

#include <limits>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
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

// In which a float is reduced by more than one operation, and rounded once at the end (R20).
ElementType Wider(ElementType type) {
  return type == ElementType::kF16 || type == ElementType::kBf16 ? ElementType::kF32 : type;
}

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

// Of several indices the position along each, from the row-major one among them (R17). `if_none`: a number
// for all, or a list with one for each.
Value Elaborator::Positions(const ExprPtr& place, const std::vector<IndexPtr>& indices, const Value* if_none,
                            Span span) {
  auto number = [&](const ExprPtr& expr) { return Scalar{expr, ElementType::kInt, {}, {}, {}}; };
  std::vector<Scalar> positions(indices.size());
  Scalar rest = number(place);
  std::vector<Value> none(indices.size(), if_none ? *if_none : Value());
  if (const auto* list = if_none ? if_none->As<std::shared_ptr<ListValue>>() : nullptr)
    none = (*list)->elements;
  if (none.size() != indices.size()) {
    Report(span, kTypeMismatch,
           absl::StrCat("after `else` stand ", none.size(), " values for ", indices.size(), " positions"));
    return Poison{};
  }
  auto record = std::make_shared<Record>();
  for (size_t i = indices.size(); i-- > 0;) {
    const Index& index = *indices[i];
    if (!index.upper || !index.lower || !FreeIndices(SizeScalar(*index.upper - *index.lower, span)).empty() ||
        !IsGlobal(*index.upper - *index.lower)) {
      return Unsupported(index.span, absl::StrCat("several positions, where the range of `", index.name,
                                                  "` depends on an index or on data,"));
    }
    Scalar count = SizeScalar(*index.upper - *index.lower, span);
    Scalar at = i == 0 ? rest : number(Call2(Function::kMod, rest, count, ElementType::kInt, span).expr);
    at = number(Call2(Function::kAdd, at, SizeScalar(*index.lower, span), ElementType::kInt, span).expr);
    rest = number(Call2(Function::kFloorDiv, rest, count, ElementType::kInt, span).expr);
    at = Unknown(index.name, ElementType::kInt, at.expr, index.lower, index.upper);
    if (if_none) {
      std::optional<Scalar> instead = ToScalar(none[i], ElementType::kInt, span);
      if (!instead) return Poison{};
      Scalar is_none =
          Call2(Function::kLt, number(place), Literal(ElementType::kInt, 0, span), ElementType::kBool, span);
      at = Select(is_none, *instead, at, span);
    }
    positions[i] = at;
  }
  for (size_t i = 0; i < indices.size(); ++i) record->fields.emplace_back(indices[i]->name, positions[i]);
  return record;
}

// Whether there may be nothing to reduce; of a declaration on its own, whether there is nothing for some
// values of the indices around whatever the sizes are. A condition never proves that there is something
// (R15).
bool Elaborator::MayBeEmpty(const std::vector<IndexPtr>& indices, bool has_condition) {
  if (has_condition) return true;
  for (const IndexPtr& index : indices) {
    if (!index->upper || !index->lower) return !generic_;
    Size length = *index->upper - *index->lower;
    if (MakeProver({length}, facts_).IsPositive(length)) continue;
    if (!generic_) return true;
    std::optional<std::pair<Size, Size>> hull = Hull(length, {});
    if (hull && facts_.empty() && MakeProver({hull->first}, {}).IsNatural(Size(0) - hull->first)) return true;
  }
  return false;
}

// The part of a reduction's body that is a row of a tensor of which no axis is written as kept (R13); rows
// that calls give are fine.
const ast::Expr* Elaborator::UnwrittenRow(const ast::Expr& body) {
  auto rank_of = [&](const ast::Expr& named) -> size_t {
    const auto* field = named.As<ast::Field>();
    if (!named.Is<ast::Ref>() && !(field && field->base->Is<ast::Ref>())) return 0;
    Value value = EvalOptional(named, named);
    const TensorPtr* tensor = value.As<TensorPtr>();
    return tensor ? (*tensor)->shape.size() : 0;
  };
  if (body.Is<ast::Ref>() || body.Is<ast::Field>()) return rank_of(body) > 0 ? &body : nullptr;
  if (const auto* access = body.As<ast::Subscript>()) {
    size_t subscripted = 0;
    for (const ast::Subscript::Item& item : access->items) {
      if (item.kind == ast::Subscript::Item::Kind::kSlice) return nullptr;
      Binding* pack = item.kind == ast::Subscript::Item::Kind::kPack ? Find(item.pack.text) : nullptr;
      subscripted += pack ? pack->pack.size() : 1;
    }
    return rank_of(*access->base) > subscripted ? &body : nullptr;
  }
  if (const auto* call = body.As<ast::Call>(); call && !IsElementwise(*call)) return nullptr;
  if (body.Is<ast::Reduction>()) return nullptr;
  const ast::Expr* found = nullptr;
  ast::ForEachChild(body, [&](const ast::Expr& child) {
    if (!found) found = UnwrittenRow(child);
  });
  return found;
}

// The indices of a reduction, and what stands in it, seen with them in force. False after an error.
bool Elaborator::OpenReduction(const ast::Reduction& node, OpenedReduction* opened) {
  using Word = ast::ReductionWord;
  bool selects = node.word == Word::kFilter || node.word == Word::kArgSort || node.word == Word::kTopK;
  frame_->scopes.emplace_back();
  size_t in_force_before = in_force_.size();
  std::vector<Fact> facts_before = facts_;
  bool ok = true;
  for (const ast::Binder& binder : node.binders) {
    const ast::Range* range =
        binder.bound == ast::Binder::Bound::kIn ? binder.limit->As<ast::Range>() : nullptr;
    if (!range) {
      ok = ok && BindBinder(binder, &opened->indices);
      continue;
    }
    // Bounds may be data: each side is a size or an int.
    if (!CheckFresh(binder.name.text, binder.name.span)) {
      ok = false;
      continue;
    }
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
    Size low = lower->form ? *lower->form : Size::Symbol(next_symbol_++, "value");
    Size high = upper->form ? *upper->form : Size::Symbol(next_symbol_++, "value");
    if (selects && IsGlobal(low) && IsGlobal(high)) {
      index->offset = low;  // it goes along an axis of its own, from 0
    } else {
      index->lower_value = lower;
      index->upper_value = upper;
    }
    SetRange(*index, low, high);
    Binding binding;
    binding.index = index;
    binding.span = binder.span;
    frame_->scopes.back()[binder.name.text] = std::move(binding);
    opened->indices.push_back(index);
    in_force_.push_back(index);
  }
  if (ok && node.condition) {
    opened->condition = Eval(*node.condition);
    if (const Scalar* scalar = opened->condition.As<Scalar>()) {
      facts_.insert(facts_.end(), scalar->if_true.begin(), scalar->if_true.end());
    } else if (!opened->condition.As<bool>()) {
      if (!opened->condition.IsPoison())
        Report(node.condition->span, kTypeMismatch, "after `where` stands a condition");
      ok = false;
    }
  }
  if (ok) opened->body = Eval(*node.body);
  if (const TensorPtr* row = opened->body.As<TensorPtr>(); row && !(*row)->shape.empty()) {
    if (const ast::Expr* unwritten = UnwrittenRow(*node.body)) {
      Report(unwritten->span, kMixedRows,
             absl::StrCat("this is a row ", ShapeText((*row)->shape),
                          "; write the axis that is kept, `:`, or subscript it"));
      ok = false;
    }
  }
  facts_ = facts_before;
  frame_->scopes.pop_back();
  in_force_.resize(in_force_before);
  if (!ok || opened->body.IsPoison()) return false;
  for (const IndexPtr& index : opened->indices) {
    if (!index->upper && !index->upper_value) {
      Report(index->span, kUnrangedIndex, index->name);
      return false;
    }
  }
  return true;
}

Value Elaborator::EvalReduction(const ast::Expr& expr, const ast::Reduction& node,
                                const ast::Expr* otherwise) {
  using Word = ast::ReductionWord;
  std::string word = ast::Spelling(node.word);
  if (node.word == Word::kFilter || node.word == Word::kArgSort || node.word == Word::kTopK)
    return EvalSelection(expr, node, otherwise);
  Span span = expr.span;
  OpenedReduction opened;
  if (!OpenReduction(node, &opened)) return Poison{};
  const std::vector<IndexPtr>& indices = opened.indices;
  const Value &body = opened.body, &condition = opened.condition;

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
  bool lacks_value = !otherwise && MayBeEmpty(indices, where != nullptr);
  Value empty_value;
  if (otherwise) {
    StatefulPlace place(*this, "where a reduction has nothing to reduce", otherwise->span);
    empty_value = Eval(*otherwise);
    if (empty_value.IsPoison()) return Poison{};
  }

  auto reduce = [this, binders, where, span](ReductionKind kind, const Scalar& element, ElementType type,
                                             const ExprPtr& empty) {
    return Make(type, span, Reduce{kind, binders, where, element.expr, empty});
  };
  std::set<int> outer;  // what the result may depend on
  for (const IndexPtr& index : in_force_) outer.insert(index->symbol);
  auto finish = [this, node = &node, outer, word, span, reduce, otherwise, empty_value, lacks_value,
                 indices](const Scalar& element) -> Value {
    auto empty = [&](ElementType type) -> ExprPtr {
      if (!otherwise) return nullptr;
      std::optional<Scalar> scalar = ToScalar(empty_value, type, otherwise->span);
      return scalar ? CastTo(*scalar, type, otherwise->span).expr : nullptr;
    };
    // An int between two sizes, or what stands for nothing.
    auto ranged = [&](const ExprPtr& value, Size low, Size high) -> Scalar {
      if (otherwise) {
        std::optional<Scalar> scalar = ToScalar(empty_value, ElementType::kInt, otherwise->span);
        if (!scalar || !scalar->form) return Unknown(word, ElementType::kInt, value, {}, {});
        low = Minimum(low, *scalar->form);
        high = Maximum(high, *scalar->form);
      }
      return Unknown(word, ElementType::kInt, value, low, high + Size(1));
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
          Size length = *index->upper - *index->lower;
          most = most * (MakeProver({length}, facts_).IsNatural(length) ? length : Maximum(length, Size(0)));
        }
        return ranged(sum, Size(0), most);
      }
      case Word::kMean: {
        ElementType result = IsFloat(element.type) ? element.type : FloatType();
        ElementType type = Wider(result);
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
        // Nothing where there are more elements than a number says, which is reported.
        std::optional<Scalar> sized = known ? ToScalar(Value(product), type, span) : std::nullopt;
        Scalar many = sized.value_or(CastTo(count, type, span));
        Scalar quotient =
            CastTo(Call2(Function::kDiv, sum, CastTo(many, type, span), type, span), result, span);
        if (!otherwise) return quotient;
        Scalar none = Call2(Function::kEq, many, Literal(type, 0, span), ElementType::kBool, span);
        std::optional<Scalar> value_if_none = ToScalar(empty_value, result, otherwise->span);
        if (!value_if_none) return Poison{};
        return Select(none, CastTo(*value_if_none, result, span), quotient, span);
      }
      case Word::kLogSumExp: {
        ElementType result_type = IsFloat(element.type) ? element.type : FloatType();
        ElementType type = Wider(result_type);
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
        Scalar result = CastTo(Call2(Function::kAdd, Call1(Function::kLog, sum, span), shift, type, span),
                               result_type, span);
        if (!otherwise) return result;
        Scalar one = Literal(ElementType::kInt, 1, span), zero = Literal(ElementType::kInt, 0, span);
        Scalar many{
            reduce(ReductionKind::kSum, one, ElementType::kInt, nullptr), ElementType::kInt, {}, {}, {}};
        Scalar none = Call2(Function::kEq, many, zero, ElementType::kBool, span);
        std::optional<Scalar> value_if_none = ToScalar(empty_value, result_type, otherwise->span);
        if (!value_if_none) return Poison{};
        return Select(none, CastTo(*value_if_none, result_type, span), result, span);
      }
      case Word::kArgMax:
      case Word::kArgMin: {
        if (lacks_value) {
          Report(span, kEmptyReduction, word);
          return Poison{};
        }
        ReductionKind kind = *KindOf(node->word);
        if (indices.size() != 1) {
          // The place is taken apart, so that nothing found is no place at all.
          ExprPtr nowhere = otherwise ? Literal(ElementType::kInt, -1, span).expr : nullptr;
          ExprPtr place = reduce(kind, element, ElementType::kInt, nowhere);
          return Positions(place, indices, otherwise ? &empty_value : nullptr, span);
        }
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
        if (index.upper && index.lower) return ranged(position, *index.lower, *index.upper - Size(1));
        return Unknown(word, ElementType::kInt, position, {}, {});
      }
      default: {
        ReductionKind kind = *KindOf(node->word);
        bool needs = kind == ReductionKind::kFirst || kind == ReductionKind::kLast ||
                     ((kind == ReductionKind::kMax || kind == ReductionKind::kMin) && !IsFloat(element.type));
        if (needs && lacks_value) {
          Report(span, kEmptyReduction, word);
          return Poison{};
        }
        ExprPtr value = reduce(kind, element, element.type, empty(element.type));
        bool chooses = kind == ReductionKind::kFirst || kind == ReductionKind::kLast ||
                       kind == ReductionKind::kMax || kind == ReductionKind::kMin;
        std::optional<std::pair<Size, Size>> hull;
        if (chooses && element.form) hull = Hull(*element.form, outer);
        if (hull) return ranged(value, hull->first, hull->second);
        return Unknown(word, element.type, value, {}, {});
      }
    }
  };

  auto reduce_element = [this, finish, span = node.body->span](const std::vector<Value>& v) -> Value {
    std::optional<ElementType> want;
    if (v[0].As<double>()) want = FloatType();
    std::optional<Scalar> scalar = ToScalar(v[0], want, span);
    return scalar ? finish(*scalar) : Value(Poison{});
  };
  return Elementwise({body}, span, reduce_element);
}

}  // namespace weft::dsl::sema
