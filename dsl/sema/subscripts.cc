// Accesses: bare indices say how far they go, everything else is proved inside or guarded (R6, R9, R10, R12).

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

const ast::Ref* BareName(const ast::Expr& expr) { return expr.As<ast::Ref>(); }

}  // namespace

// A bare index of unknown range takes the axis; one of known range must be equal to it, or inside if it is
// written.
bool Elaborator::ResolveBareIndex(Index& index, const Size& axis, Span span, const std::string& of) {
  if (!index.upper && !index.upper_value) {
    SetRange(index, Size(0), axis);
    index.ranged = span;
  } else if (index.written) {
    RequireInside(SymbolOf(index), axis, span, of);
  } else if (index.upper) {
    return RequireEqual(axis, *index.upper, span,
                        absl::StrCat("the index `", index.name, "` goes along two axes"),
                        index.ranged.valid() ? index.ranged : index.span, true);
  }
  return true;
}

// Proved when the equation is complete: ranges may still be open.
void Elaborator::RequireInside(const Size& form, const Size& axis, Span span, const std::string& of) {
  deferred_.push_back({form, axis, facts_, span, of});
}

void Elaborator::RunDeferred() {
  std::vector<Deferred> questions;
  std::swap(questions, deferred_);
  for (const Deferred& question : questions) {
    Prover prover = MakeProver({question.form, question.axis}, question.facts);
    if (prover.IsInside(question.form, question.axis) || HoldsUnranged(question.form)) continue;
    if (generic_ ? !IsAlwaysWrong(question) : CheckedAtBoundary(question)) continue;
    DiagnosticBuilder builder =
        Report(question.span, kOutOfRange, absl::StrCat("`", sources_.Text(question.span), "`"), question.of,
               question.axis.ToString());
    NoteIndices(builder, question.form);
    if (IsUnbounded(question)) {
      builder.Suggest(absl::StrCat("say in the type of what comes from data where it lies, `int[...] in 0..",
                                   question.axis.ToString(),
                                   "`; or write `else` after the access, or `clamp(...)`"));
      continue;
    }
    builder.Suggest(
        "write `else` after the access to say what lies outside, `clamp(...)`, or a shorter range for the "
        "index");
  }
}

// Whether the form holds an index that nothing ranges, or one whose range does: a mistake of its own.
bool Elaborator::HoldsUnranged(const Size& form) const {
  return std::any_of(index_of_.begin(), index_of_.end(), [&](const auto& entry) {
    const Index& index = *entry.second;
    if (!Mentions(form, index.symbol)) return false;
    if (!index.upper) return !index.upper_value;
    return HoldsUnranged(*index.upper) || (index.lower && HoldsUnranged(*index.lower));
  });
}

// Whether the form holds a value of which nothing at all is known, by itself: no instance knows more of it.
// (An index without a range is a mistake of its own.)
bool Elaborator::IsUnbounded(const Deferred& question) {
  auto is_bound = [&](const SizeAtom& atom) {
    if (atom.kind != SizeAtom::Kind::kSymbol || atom.lo || ranges_.contains(atom.id)) return true;
    return std::any_of(question.facts.begin(), question.facts.end(),
                       [&](const Fact& fact) { return Mentions(fact.form, atom.id); }) ||
           std::any_of(index_of_.begin(), index_of_.end(),
                       [&](const auto& index) { return index.second->symbol == atom.id; });
  };
  return std::any_of(question.form.terms().begin(), question.form.terms().end(), [&](const auto& term) {
    return std::any_of(term.monomial.begin(), term.monomial.end(),
                       [&](const auto& factor) { return !is_bound(*factor.first); });
  });
}

// Of a declaration on its own: whether an access is outside for every size, at least at one end of what its
// indices go through, or whether no instance can know more of it.
bool Elaborator::IsAlwaysWrong(const Deferred& question) {
  if (IsUnbounded(question)) return true;
  if (MakeProver({question.form, question.axis}, question.facts).IsOutside(question.form, question.axis))
    return true;
  if (!question.facts.empty()) return false;
  bool is_unranged = std::any_of(index_of_.begin(), index_of_.end(), [&](const auto& index) {
    return !ranges_.contains(index.second->symbol) && Mentions(question.form, index.second->symbol);
  });
  if (is_unranged) return false;
  if (!IsOpen(question.form) && !IsOpen(question.axis)) return true;
  std::optional<std::pair<Size, Size>> hull = Hull(question.form, {});
  if (!hull) return false;
  Prover ends = MakeProver({hull->first, hull->second, question.axis}, {});
  return ends.IsPositive(Size(0) - hull->first) || ends.IsNatural(hull->second - question.axis);
}

namespace {

void CollectLargest(const Size& size, std::map<int, int64_t>* largest) {
  for (const Size::Term& term : size.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kSymbol && atom->hi) (*largest)[atom->id] = *atom->hi;
      for (const Size& operand : atom->operands) CollectLargest(operand, largest);
    }
  }
}

// A demand that the largest inputs do not meet is no demand but a mistake: `x[i - j]` wants an x of one
// element.
bool HoldsAtLargest(const Size& less, const Size& more) {
  std::map<int, int64_t> largest;
  CollectLargest(less, &largest);
  CollectLargest(more, &largest);
  std::optional<int64_t> slack = (more - less).Evaluate(largest);
  return slack && *slack >= 0;
}

}  // namespace

// Whether only the sizes of the inputs decide whether an access is inside; then they are checked before
// anything runs. Two sizes that merely have different names are a mistake.
bool Elaborator::CheckedAtBoundary(const Deferred& question) {
  std::optional<std::pair<Size, Size>> hull = Hull(question.form, {});
  if (!statements_ || !hull || !IsGlobal(hull->first) || !IsGlobal(hull->second) || !IsGlobal(question.axis))
    return false;
  const auto& [low, high] = *hull;
  Size end = high + Size(1);
  if (end.IsBareSymbol() && question.axis.IsBareSymbol() && !(end == question.axis)) return false;
  auto demand = [&](const Size& less, const Size& more) {
    Prover prover = MakeProver({less, more}, {});
    if (prover.AtMost(less, more)) return true;
    if (prover.IsPositive(less - more) || !HoldsAtLargest(less, more)) return false;
    Emit(question.span, "",
         Check{Check::Relation::kAtMost,
               less,
               more,
               absl::StrCat(less.ToString(), " must be at most ", more.ToString(), Because(question.span)),
               {}});
    return true;
  };
  return demand(Size(0), low) && demand(end, question.axis);
}

// The number of a group among the whole axis: mixed radix, the last member fastest (R10).
// `whole`: the axis that it counts, if it subscripts one.
std::optional<Scalar> Elaborator::GroupPosition(const ast::Group& group, const Size* whole, Span span) {
  struct Member {
    std::optional<Scalar> at;
    std::optional<Size> count;
    IndexPtr open;
    Span span;
  };
  std::vector<Member> members;
  Size product(1);
  Member* open = nullptr;
  members.reserve(group.parts.size() + 8);
  for (const ast::Group::Part& part : group.parts) {
    if (!part.value) {
      Binding* binding = Find(part.pack.text);
      if (!binding || !binding->is_pack) {
        Report(part.span, kUnknownName, absl::StrCat("..", part.pack.text));
        return std::nullopt;
      }
      for (const IndexPtr& index : binding->pack) {
        if (!index->upper) {
          Report(part.span, kUnrangedIndex, index->name);
          return std::nullopt;
        }
        members.push_back({IndexScalar(*index, part.span), index->upper, nullptr, part.span});
        product = product * *index->upper;
      }
      continue;
    }
    Member member;
    member.span = part.span;
    if (part.of) {
      std::optional<Size> of = AsSize(Eval(*part.of), part.of->span, "the count of a group's member");
      std::optional<Scalar> at = ToScalar(Eval(*part.value), ElementType::kInt, part.value->span);
      if (!of || !at) return std::nullopt;
      if (at->form) RequireInside(*at->form, *of, part.value->span, "this member of the group");
      member.at = at;
      member.count = of;
    } else {
      const ast::Ref* name = BareName(*part.value);
      Binding* binding = name ? Find(name->name) : nullptr;
      if (binding && binding->index) {
        Index& index = *binding->index;
        member.at = IndexScalar(index, part.span);
        if ((index.upper && !IsGlobal(*index.upper)) || (index.upper_value && !index.upper)) {
          Report(part.span, kInvalidExpression,
                 absl::StrCat("how far `", index.name,
                              "` goes depends on an index or on data, so it cannot be a member of a group"));
          return std::nullopt;
        }
        if (index.upper && index.lower && *index.lower == Size(0)) {
          member.count = *index.upper;
        } else if (index.upper || index.upper_value) {
          Report(part.span, kInvalidExpression,
                 absl::StrCat("`", index.name, "` does not start at 0, so it cannot be a member of a group"));
          return std::nullopt;
        } else {
          member.open = binding->index;
        }
      } else {
        Value value = Eval(*part.value);
        if (value.IsPoison()) return std::nullopt;
        Report(part.span, kInvalidExpression, "a member of a group is an index, or `number of count`");
        return std::nullopt;
      }
    }
    if (member.count) product = product * *member.count;
    members.push_back(member);
    if (member.open) {
      if (open || !whole) {
        Report(span, kUnrangedIndex, member.open->name);
        return std::nullopt;
      }
      open = &members.back();
    }
  }
  const Size axis = whole ? *whole : product;
  if (open) {
    std::optional<Size> rest = ExactDiv(axis, product);
    if (!rest || !rest->IsWhole()) {
      if (axis.AsInteger() && product.AsInteger()) {
        Report(span, kGroupSize, absl::StrCat("multiples of ", product.ToString()), axis.ToString());
        return std::nullopt;
      }
      CheckDivisible(axis, product, span);
      rest = FloorDiv(axis, product);
    }
    open->count = rest;
    SetRange(*open->open, Size(0), *rest);
  } else if (!(product == axis)) {
    Prover prover = MakeProver({product, axis}, facts_);
    if ((product - axis).AsRational() || prover.IsPositive(product - axis) ||
        prover.IsPositive(axis - product)) {
      Report(span, kGroupSize, product.ToString(), axis.ToString());
      return std::nullopt;
    }
    if (!RequireEqual(product, axis, span, "the members of a group and their axis")) return std::nullopt;
  }
  Scalar position = *members[0].at;
  for (size_t i = 1; i < members.size(); ++i) {
    position = Call2(Function::kMul, position, SizeScalar(*members[i].count, span), ElementType::kInt, span);
    position = Call2(Function::kAdd, position, *members[i].at, ElementType::kInt, span);
  }
  return position;
}

// The value of a subscript; of a record's, once for all of its fields.
Value Elaborator::EvalPosition(const ast::Expr& expr) {
  std::map<const ast::Expr*, Value>* values = std::exchange(subscript_values_, nullptr);
  bool is_known = values && values->contains(&expr);
  bool outer = std::exchange(wants_whole_, true);
  Value value = is_known ? values->at(&expr) : Eval(expr);
  wants_whole_ = outer;
  if (values) values->emplace(&expr, value);
  subscript_values_ = values;
  return value;
}

// One subscript: appends a slot for the axis, and to `shape` what stays of it.
bool Elaborator::SubscriptOne(const TensorPtr& tensor, size_t axis, const ast::Subscript::Item& item,
                              const std::string& subject, bool guarded, std::vector<Slot>& slots,
                              std::vector<Size>& shape, std::vector<OpenAccess>* open) {
  const Size& extent = tensor->shape[axis];
  std::string of = absl::StrCat("axis ", axis, " of ", subject, " ", ShapeText(tensor->shape));
  Slot slot;
  if (item.kind == ast::Subscript::Item::Kind::kSlice) {
    Size from(0), to = extent;
    if (item.from) {
      std::optional<Size> size = AsSize(Eval(*item.from), item.from->span, "the start of a slice");
      if (!size) return false;
      from = *size;
      RequireInside(from, extent + Size(1), item.from->span, of);
    }
    if (item.to) {
      std::optional<Size> size = AsSize(Eval(*item.to), item.to->span, "the end of a slice");
      if (!size) return false;
      to = *size;
      // The data decides how long it is: then what is there of so many (R28).
      bool cuts = IsFound(extent) && !item.from;
      if (cuts && !MakeProver({to, extent}, facts_).AtMost(to, extent)) to = Minimum(extent, to);
      RequireInside(to - from, extent - from + Size(1), item.to->span, of);
    }
    slot.axis = static_cast<int>(shape.size());
    slot.offset = from;
    shape.push_back(to - from);
    slots.push_back(slot);
    return true;
  }
  const ast::Expr& expr = *item.at;
  if (const auto* group = expr.As<ast::Group>()) {
    std::optional<Scalar> position = GroupPosition(*group, &extent, expr.span);
    if (!position) return false;
    slot.fixed = Position{*position, Outside::kInside};
    slots.push_back(slot);
    return true;
  }
  const ast::Ref* name = BareName(expr);
  Binding* binding = name ? Find(name->name) : nullptr;
  bool bare = binding && binding->index;
  if (bare) {
    Index& index = *binding->index;
    bool counts = !guarded && tensor->edge == Outside::kInside;
    // `else`, clamp, mirror and wrap extend a bare index only where its range is written in this equation.
    bool extends = (guarded || tensor->edge != Outside::kInside) && index.written &&
                   left_indices_written_.contains(index.symbol);
    if (counts || !extends) {
      if (index.upper || index.upper_value || counts) {
        if (!ResolveBareIndex(index, extent, item.span, of)) return false;
      } else {
        deferred_.push_back({SymbolOf(index), extent, facts_, item.span, of});
      }
      slot.fixed = Position{IndexScalar(index, item.span), Outside::kInside};
    } else {
      Outside outside = guarded ? Outside::kFill : tensor->edge;
      Prover prover = MakeProver({SymbolOf(index), extent}, facts_);
      if (prover.IsInside(SymbolOf(index), extent)) outside = Outside::kInside;
      if (outside == Outside::kFill) open->push_back({SymbolOf(index), extent, item.span});
      slot.fixed = Position{IndexScalar(index, item.span), outside};
    }
    slots.push_back(slot);
    return true;
  }
  Value value = EvalPosition(expr);
  if (value.IsPoison()) return false;
  if (const auto* list = value.As<std::shared_ptr<ListValue>>(); list) {
    std::optional<TensorPtr> vector = AsTensor(value, expr.span);
    if (!vector) return false;
    value = *vector;
  }
  if (const TensorPtr* rows = value.As<TensorPtr>(); rows && !(*rows)->shape.empty()) {
    if ((*rows)->shape.size() != 1 || (*rows)->type != ElementType::kInt) {
      Report(expr.span, kTypeMismatch,
             absl::StrCat("a subscript is an int or a vector of ints, not ", Describe(value)));
      return false;
    }
    TensorPtr stored = Stored(*rows, "rows", expr.span);
    int row = next_symbol_++;
    if (stored->range) ranges_[row] = *stored->range;
    RequireInside(Size::Symbol(row, "row"), extent, item.span, of);
    slot.axis = static_cast<int>(shape.size());
    slot.rows = stored;
    shape.push_back((*rows)->shape[0]);
    slots.push_back(slot);
    return true;
  }
  std::optional<Scalar> at;
  if (value.IsNumber() && !value.As<bool>()) {
    std::optional<Size> size = AsSize(value, expr.span, "a subscript");
    if (!size) return false;
    at = SizeScalar(*size, expr.span);
  } else {
    at = ToScalar(value, ElementType::kInt, expr.span);
    if (!at) return false;
    if (at->type != ElementType::kInt) {
      Report(expr.span, kTypeMismatch,
             "a subscript is an int; round with `int(floor(...))`, divide with `div`");
      return false;
    }
  }
  Position position{*at, Outside::kInside};
  Size form = at->form ? *at->form : Size::Symbol(next_symbol_++, "value");
  if (guarded || tensor->edge != Outside::kInside) {
    Prover prover = MakeProver({form, extent}, facts_);
    if (!prover.IsInside(form, extent)) position.outside = guarded ? Outside::kFill : tensor->edge;
    if (position.outside == Outside::kFill) open->push_back({form, extent, item.span});
  } else {
    RequireInside(form, extent, item.span, of);
  }
  slot.fixed = position;
  slots.push_back(slot);
  return true;
}

// Composes the slots of a subscript with those of the value it subscripts.
Value Elaborator::ApplySlots(const TensorPtr& tensor, std::vector<Slot> slots, std::vector<Size> shape,
                             const ExprPtr& fill, Span span) {
  bool complete = shape.empty();
  if (complete) {
    std::vector<Position> at;
    for (const Slot& slot : slots) at.push_back(*slot.fixed);
    Scalar element = Element(*tensor, at, fill, span);
    return element;
  }
  auto view = std::make_shared<TensorValue>();
  view->type = tensor->type;
  view->shape = std::move(shape);
  view->range = tensor->range;
  if (tensor->id >= 0 && !fill) {
    view->id = tensor->id;
    for (const Slot& old : tensor->slots) {
      if (old.fixed) {
        view->slots.push_back(old);
        continue;
      }
      Slot slot = slots[old.axis];
      if (slot.fixed && old.rows) {
        slot.fixed->at = ElementAt(*old.rows, {slot.fixed->at}, span);
      } else if (slot.fixed && old.offset == Size(0)) {
        // Nothing to add.
      } else if (slot.fixed) {
        slot.fixed->at =
            Call2(Function::kAdd, slot.fixed->at, SizeScalar(old.offset, span), ElementType::kInt, span);
      } else if (old.rows || slot.rows) {
        // Rows of rows: the vectors compose.
        if (old.rows && slot.rows) {
          auto composed = std::make_shared<TensorValue>(*slot.rows);
          TensorPtr inner = slot.rows, outer = old.rows;
          composed->id = -1;
          composed->slots.clear();
          composed->rule = [this, inner, outer, span](const std::vector<Scalar>& at) {
            return ElementAt(*outer, {ElementAt(*inner, at, span)}, span);
          };
          slot.rows = composed;
        } else if (old.rows) {
          auto shifted = std::make_shared<TensorValue>();
          shifted->type = ElementType::kInt;
          shifted->shape = {view->shape[slot.axis]};
          TensorPtr outer = old.rows;
          Size offset = slot.offset;
          shifted->rule = [this, outer, offset, span](const std::vector<Scalar>& at) {
            return ElementAt(
                *outer, {Call2(Function::kAdd, at[0], SizeScalar(offset, span), ElementType::kInt, span)},
                span);
          };
          slot.rows = shifted;
          slot.offset = Size(0);
        }
      } else {
        slot.offset = slot.offset + old.offset;
      }
      view->slots.push_back(slot);
    }
    return TensorPtr(view);
  }
  view->rule = [this, tensor, slots, fill, span](const std::vector<Scalar>& at) {
    std::vector<Position> positions;
    for (const Slot& slot : slots) {
      if (slot.fixed) {
        positions.push_back(*slot.fixed);
      } else if (slot.rows) {
        positions.push_back({ElementAt(*slot.rows, {at[slot.axis]}, span), Outside::kInside});
      } else {
        positions.push_back(
            {Call2(Function::kAdd, at[slot.axis], SizeScalar(slot.offset, span), ElementType::kInt, span),
             Outside::kInside});
      }
    }
    return Element(*tensor, positions, fill, span);
  };
  return TensorPtr(view);
}

// What stands after `else` may assume that the access is outside. That says something if one subscript may
// be, at one end.
Value Elaborator::EvalOutside(const ast::Expr& otherwise, const std::vector<OpenAccess>& open) {
  std::vector<Fact> before = facts_;
  if (open.size() == 1) {
    const OpenAccess& access = open[0];
    Prover prover = MakeProver({access.form, access.axis}, facts_);
    if (prover.IsNatural(access.form)) {
      facts_.push_back({Fact::Kind::kNatural, access.form - access.axis});
    } else if (prover.IsPositive(access.axis - access.form)) {
      facts_.push_back({Fact::Kind::kNatural, Size(-1) - access.form});
    }
  }
  StatefulPlace place(*this, "where an access lies outside its tensor", otherwise.span);
  Value value = Eval(otherwise);
  facts_ = before;
  return value;
}

Value Elaborator::SubscriptTensor(const TensorPtr& base, const ast::Expr& expr, const ast::Subscript& node,
                                  const ast::Expr* otherwise, const Position* first) {
  if (base->history && !first) return SubscriptHistory(base, expr, node, otherwise);
  TensorPtr tensor = base;
  // Positions outside are the business of stored axes only: what lies behind the end of a slice is outside of
  // it.
  bool has_own_ends = tensor->id < 0;
  for (size_t axis = 0; axis < tensor->slots.size(); ++axis) {
    const Slot& slot = tensor->slots[axis];
    if (slot.fixed) continue;
    has_own_ends |= slot.rows || !(tensor->shape[slot.axis] == method_->tensors[tensor->id].shape[axis]);
  }
  if ((otherwise || tensor->edge != Outside::kInside) && has_own_ends) {
    Outside edge = tensor->edge;
    auto copy = std::make_shared<TensorValue>(*tensor);
    copy->edge = Outside::kInside;
    auto stored = std::make_shared<TensorValue>(*Stored(copy, "guarded", expr.span));
    stored->edge = edge;
    tensor = stored;
  }
  std::vector<Slot> slots;
  std::vector<Size> shape;
  std::vector<OpenAccess> open;
  bool has_rows = false;
  constexpr size_t kLongestName = 40;
  absl::string_view name = sources_.Text(node.base->span);
  bool is_short = name.size() <= kLongestName && !absl::StrContains(name, '\n');
  std::string subject = is_short ? absl::StrCat("`", name, "`") : "a tensor";
  size_t axis = 0;
  auto too_many = [&] {
    Report(expr.span, kRankMismatch, subject,
           absl::StrCat(tensor->shape.size(), tensor->shape.size() == 1 ? " axis" : " axes"),
           absl::StrCat(node.items.size(), " are subscripted"));
    return Value(Poison{});
  };
  for (const ast::Subscript::Item& item : node.items) {
    if (first && axis == 0) {
      Slot slot;
      slot.fixed = *first;
      if (first->outside == Outside::kFill) open.push_back({*first->at.form, tensor->shape[0], item.span});
      slots.push_back(slot);
      ++axis;
      continue;
    }
    if (item.kind == ast::Subscript::Item::Kind::kPack) {
      Binding* binding = Find(item.pack.text);
      if (!binding || !binding->is_pack) {
        Report(item.span, kUnknownName, absl::StrCat("..", item.pack.text));
        return Poison{};
      }
      for (const IndexPtr& index : binding->pack) {
        if (axis >= tensor->shape.size()) return too_many();
        if (!ResolveBareIndex(*index, tensor->shape[axis], item.span, subject)) return Poison{};
        Slot slot;
        slot.fixed = Position{IndexScalar(*index, item.span), Outside::kInside};
        slots.push_back(slot);
        ++axis;
      }
      continue;
    }
    if (axis >= tensor->shape.size()) return too_many();
    if (!SubscriptOne(tensor, axis, item, subject, otherwise != nullptr, slots, shape, &open))
      return Poison{};
    if (slots.back().rows && std::exchange(has_rows, true)) {
      Report(item.span, kTypeMismatch, "only one subscript of an access is a vector; write the indices");
      return Poison{};
    }
    ++axis;
  }
  for (; axis < tensor->shape.size(); ++axis) {
    Slot slot;
    slot.axis = static_cast<int>(shape.size());
    shape.push_back(tensor->shape[axis]);
    slots.push_back(slot);
  }
  ExprPtr fill;
  if (otherwise) {
    Value value = EvalOutside(*otherwise, open);
    if (value.IsPoison()) return Poison{};
    if (const TensorPtr* row = value.As<TensorPtr>(); row && !shape.empty()) {
      if (!open.empty()) return RowOr(tensor, slots, shape, *row, otherwise->span);
    } else if (!open.empty()) {
      std::optional<Scalar> scalar = ToScalar(value, tensor->type, otherwise->span);
      if (!scalar) return Poison{};
      if (!Meet(scalar->type, tensor->type)) {
        Report(otherwise->span, kTypeMismatch, "what stands after `else` must have the type of the elements");
        return Poison{};
      }
      fill = CastTo(*scalar, tensor->type, otherwise->span).expr;
    }
  }
  return ApplySlots(tensor, std::move(slots), std::move(shape), fill, expr.span);
}

// `first_change`: of the states that the list changed.
Value Elaborator::SubscriptList(const Value& list, const ast::Expr& expr, const ast::Subscript& node,
                                const ast::Expr* otherwise, size_t first_change) {
  const auto& elements = (*list.As<std::shared_ptr<ListValue>>())->elements;
  const ast::Subscript::Item& item = node.items[0];
  if (item.kind == ast::Subscript::Item::Kind::kSlice) {
    int64_t size = static_cast<int64_t>(elements.size()), from = 0, to = size;
    if (item.from) {
      std::optional<int64_t> number =
          AsWholeNumber(Eval(*item.from), item.from->span, "the start of a slice");
      if (!number) return Poison{};
      from = *number;
    }
    if (item.to) {
      std::optional<int64_t> number = AsWholeNumber(Eval(*item.to), item.to->span, "the end of a slice");
      if (!number) return Poison{};
      to = *number;
    }
    if (from < 0 || to > size || from > to) {
      Report(item.span, kOutOfRange, absl::StrCat("`", sources_.Text(item.span), "`"), "the list",
             absl::StrCat(size));
      return Poison{};
    }
    auto part = std::make_shared<ListValue>();
    part->elements.assign(elements.begin() + from, elements.begin() + to);
    return part;
  }
  if (item.kind == ast::Subscript::Item::Kind::kAt) {
    Binding* binding = item.at->As<ast::Ref>() ? Find(item.at->As<ast::Ref>()->name) : nullptr;
    bool is_index = binding && binding->index;
    Value at = is_index || item.at->Is<ast::Group>() ? Value(Absent{}) : Eval(*item.at);
    if (at.IsPoison()) return Poison{};
    if (at.IsNumber()) {
      std::optional<int64_t> number = AsWholeNumber(at, item.at->span, "the position in a list");
      if (!number) return Poison{};
      if (*number < 0 || *number >= static_cast<int64_t>(elements.size())) {
        Report(item.span, kOutOfRange, absl::StrCat("`", sources_.Text(item.span), "`"), "the list",
               absl::StrCat(elements.size()));
        return Poison{};
      }
      Value element = elements[*number];
      if (node.items.size() == 1) return element;
      std::optional<TensorPtr> inner = AsTensor(element, expr.span);
      if (!inner) return Poison{};
      ast::Subscript rest = node;
      rest.items.erase(rest.items.begin());
      return SubscriptTensor(*inner, expr, rest, otherwise);
    }
    if (at.As<Scalar>() && state_changes_.size() > first_change) {
      Report(node.base->span, kStatefulPlace, state_changes_[first_change].first.name,
             "in a list of which data chooses one element");
      return Poison{};
    }
  }
  if (!elements.empty() && elements[0].As<ModelPtr>()) {
    std::string text(sources_.Text(node.base->span)), at(sources_.Text(item.span));
    Report(item.span, kChosenModel, at)
        .Suggest(absl::StrCat("apply all and choose the result, of which one is computed: `[m(x) for m in ",
                              text, "][", at, "]`"));
    return Poison{};
  }
  std::optional<TensorPtr> tensor = AsTensor(list, node.base->span);
  if (!tensor) return Poison{};
  return SubscriptTensor(*tensor, expr, node, otherwise);
}

// Records go leaf by leaf (R12, R33).
Value Elaborator::SubscriptRecord(const Value& record, const ast::Expr& expr, const ast::Subscript& node,
                                  const ast::Expr* otherwise) {
  std::vector<Value> rows;
  for (const auto& [name, field] : Branches(record)) {
    if (field.IsPoison()) return Poison{};
    if (const TensorPtr* tensor = field.As<TensorPtr>()) {
      rows.push_back(SubscriptTensor(*tensor, expr, node, otherwise));
    } else if (field.As<std::shared_ptr<Record>>() || field.As<std::shared_ptr<ListValue>>()) {
      rows.push_back(SubscriptRecord(field, expr, node, otherwise));
    } else {
      Report(expr.span, kTypeMismatch, absl::StrCat("the field `", name, "` cannot be subscripted"));
      return Poison{};
    }
    if (rows.back().IsPoison()) return Poison{};
  }
  return WithBranches(record, std::move(rows));
}

Value Elaborator::EvalSubscript(const ast::Expr& expr, const ast::Subscript& node,
                                const ast::Expr* otherwise) {
  size_t first_change = state_changes_.size();
  Value base = Eval(*node.base);
  if (base.IsPoison()) return Poison{};
  if (base.IsAbsent()) {
    Report(node.base->span, kAbsence, "this may be absent; say what stands for it then: `... else ...`");
    return Poison{};
  }
  if (node.items.empty()) return base;
  if (const TensorPtr* tensor = base.As<TensorPtr>()) return SubscriptTensor(*tensor, expr, node, otherwise);
  if (base.As<std::shared_ptr<ListValue>>()) return SubscriptList(base, expr, node, otherwise, first_change);
  if (base.As<std::shared_ptr<Record>>()) {
    // All fields by one subscript: what it finds is found once.
    std::map<const ast::Expr*, Value> values;
    std::map<const ast::Expr*, Value>* outer = std::exchange(subscript_values_, &values);
    Value rows = SubscriptRecord(base, expr, node, otherwise);
    subscript_values_ = outer;
    return rows;
  }
  Report(expr.span, kTypeMismatch, absl::StrCat(Describe(base), " cannot be subscripted"));
  return Poison{};
}

}  // namespace weft::dsl::sema
