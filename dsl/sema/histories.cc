// Reads of what a recurrence makes: in its loop earlier slices, or later ones where it runs downwards; behind
// it also the positions that `from` gives (R22, R23).

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// Where along the positions an access stands; an index of unknown range takes all of them.
std::optional<Scalar> Elaborator::HistoryPosition(const History& history, const ast::Subscript::Item& item) {
  if (item.kind != ast::Subscript::Item::Kind::kAt || item.at->Is<ast::Group>()) {
    Report(item.span, kInvalidExpression,
           absl::StrCat("in its own loop `", history.name, "` is read at one step at a time"));
    return std::nullopt;
  }
  const auto* ref = item.at->As<ast::Ref>();
  Binding* binding = ref ? Find(ref->name) : nullptr;
  if (binding && binding->index) {
    Index& index = *binding->index;
    if (!index.upper && !index.upper_value) SetRange(index, Size(0), history.length);
    return IndexScalar(index, item.span);
  }
  Value value = Eval(*item.at);
  if (value.IsPoison()) return std::nullopt;
  std::optional<Scalar> at;
  if (value.IsNumber() && !value.As<bool>()) {
    std::optional<Size> size = AsSize(value, item.span, "a position");
    if (size) at = SizeScalar(*size, item.span);
  } else {
    at = ToScalar(value, ElementType::kInt, item.span);
  }
  if (at && at->type != ElementType::kInt) {
    Report(item.span, kTypeMismatch, "a position is an int");
    return std::nullopt;
  }
  if (at && !at->form) at->form = Size::Symbol(next_symbol_++, "value");
  return at;
}

// The rest of an access whose first subscript has chosen a slice.
Value Elaborator::SubscriptRow(const TensorPtr& row, const ast::Expr& expr, const ast::Subscript& node,
                               const ast::Expr* otherwise) {
  ast::Subscript rest = node;
  rest.items.erase(rest.items.begin());
  if (!rest.items.empty()) return SubscriptTensor(row, expr, rest, otherwise);
  if (!row->shape.empty()) return row;
  return ElementAt(*row, {}, expr.span);
}

Value Elaborator::SubscriptHistory(const TensorPtr& tensor, const ast::Expr& expr, const ast::Subscript& node,
                                   const ast::Expr* otherwise) {
  History& history = *tensor->history;
  if (!history.index) return SubscriptGiven(tensor, expr, node, otherwise);
  if (history.is_unknown) return Poison{};
  const ast::Subscript::Item& item = node.items[0];
  std::optional<Scalar> at = HistoryPosition(history, item);
  if (!at) return Poison{};
  Size step = SymbolOf(*history.index);
  std::optional<int64_t> distance = (step - *at->form).AsInteger();
  if (distance == 0 && history.slice) return SubscriptRow(history.slice, expr, node, otherwise);
  if (!history.is_known && history.slice) {  // this step has computed it above
    history.is_known = true;
    history.type = history.slice->type;
    history.row = history.slice->shape;
  }
  if (!history.is_known) {
    Report(item.span, kMissingFrom, history.name,
           absl::StrCat("nothing says its type and shape before `", history.name, "` is computed"))
        .Suggest(absl::StrCat("write `from ", history.name, "[-1] = ...`, or declare the type: `rec ",
                              history.name, "[...]: float[...] = ...`"));
    return Poison{};
  }
  Prover prover = MakeProver({step, *at->form}, facts_);
  bool is_before = prover.IsPositive(step - *at->form), is_behind = prover.IsPositive(*at->form - step);
  if (is_before) history.before_at = expr.span;
  if (is_behind) history.behind_at = expr.span;
  if (!is_before && !is_behind && !history.open_at.valid()) history.open_at = expr.span;
  if (distance == 0 && !history.now_at.valid()) history.now_at = expr.span;
  history.reads_before &= is_before;
  history.reads_behind &= is_behind;

  const std::vector<TensorPtr>& given = is_behind ? history.after : history.before;
  if (distance && *distance != 0 && !otherwise) {
    int64_t steps = std::abs(*distance);
    if (is_behind && history.after.empty() && !history.before.empty()) {
      std::string step_name = history.index->name;
      Report(expr.span, kReadsFuture, history.name, step_name)
          .Suggest(absl::StrCat("read an earlier step, `", history.name, "[", step_name,
                                "-1]`; or let it run downwards: `from ", history.name, "[",
                                history.length.ToString(), "] = ...`"));
      return Poison{};
    }
    if (steps > static_cast<int64_t>(given.size())) {
      std::string place = is_behind ? (history.length + Size(steps - 1)).ToString() : absl::StrCat(-steps);
      Report(expr.span, kMissingFrom, history.name,
             absl::StrCat("position ", place, " is read, and no `from` gives it"))
          .Suggest(absl::StrCat("write `from ", history.name, "[", place, "] = ...`"));
      return Poison{};
    }
    auto [window, is_new] = history.window.try_emplace(steps, -1);
    if (is_new) window->second = NewTensor(history.name, history.type, history.row, history.span);
    auto row = std::make_shared<TensorValue>(*StoredTensor(window->second));
    row->range = history.range;
    return SubscriptRow(row, expr, node, otherwise);
  }
  Size before(static_cast<int64_t>(history.before.size()));
  Size positions = history.length + before + Size(static_cast<int64_t>(history.after.size()));
  if (history.whole < 0) {
    std::vector<Size> shape{positions};
    shape.insert(shape.end(), history.row.begin(), history.row.end());
    history.whole = NewTensor(history.name, history.type, shape, history.span);
  }
  auto whole = std::make_shared<TensorValue>(*StoredTensor(history.whole));
  whole->range = history.range;
  Position position{*at, Outside::kInside};
  if (!history.before.empty())
    position.at = Call2(Function::kAdd, *at, SizeScalar(before, item.span), ElementType::kInt, item.span);
  const Size& form = *position.at.form;
  if (!MakeProver({form, positions}, facts_).IsInside(form, positions)) {
    if (otherwise) {
      position.outside = Outside::kFill;
    } else {
      RequireInside(form, positions, item.span, absl::StrCat("the positions of `", history.name, "`"));
    }
  }
  return SubscriptTensor(whole, expr, node, otherwise, &position);
}

// Behind the loop. Only what can be a position that `from` gives needs more than an access of the result.
Value Elaborator::SubscriptGiven(const TensorPtr& tensor, const ast::Expr& expr, const ast::Subscript& node,
                                 const ast::Expr* otherwise) {
  const History& history = *tensor->history;
  auto plain = std::make_shared<TensorValue>(*tensor);
  plain->history = nullptr;
  const ast::Subscript::Item& item = node.items[0];
  const auto* ref = item.kind == ast::Subscript::Item::Kind::kAt ? item.at->As<ast::Ref>() : nullptr;
  Binding* binding = ref ? Find(ref->name) : nullptr;
  bool is_plain = item.kind != ast::Subscript::Item::Kind::kAt || item.at->Is<ast::Group>() ||
                  (binding && binding->index && !binding->index->upper);
  if (is_plain) return SubscriptTensor(plain, expr, node, otherwise);
  Value value = Eval(*item.at);
  if (value.IsPoison()) return Poison{};
  bool is_position = (value.IsNumber() && !value.As<bool>()) || value.As<Scalar>();
  std::optional<Scalar> at = is_position ? HistoryPosition(history, item) : std::nullopt;
  if (!at || MakeProver({*at->form, history.length}, facts_).IsInside(*at->form, history.length))
    return SubscriptTensor(plain, expr, node, otherwise);

  auto before = static_cast<int64_t>(history.before.size()),
       after = static_cast<int64_t>(history.after.size());
  std::optional<int64_t> below = at->form->AsInteger(), above = (*at->form - history.length).AsInteger();
  if (below && *below < 0 && *below >= -before)
    return SubscriptRow(history.before[static_cast<size_t>(-*below - 1)], expr, node, otherwise);
  if (above && *above >= 0 && *above < after)
    return SubscriptRow(history.after[static_cast<size_t>(*above)], expr, node, otherwise);
  if (otherwise) return SubscriptTensor(plain, expr, node, otherwise);
  Size shift(before);
  RequireInside(*at->form + shift, history.length + shift + Size(after), item.span,
                absl::StrCat("the positions of `", history.name, "`"));
  auto row = std::make_shared<TensorValue>();
  row->type = tensor->type;
  row->range = tensor->range;
  row->shape.assign(tensor->shape.begin() + 1, tensor->shape.end());
  row->rule = [this, plain, at = *at, history = tensor->history,
               span = expr.span](const std::vector<Scalar>& rest) {
    std::vector<Position> positions{{at, Outside::kClamp}};
    for (const Scalar& scalar : rest) positions.push_back({scalar, Outside::kInside});
    Scalar element = Element(*plain, positions, nullptr, span);
    auto choose = [&](const TensorPtr& given, const Size& place) {
      Scalar is_here = Call2(Function::kEq, at, SizeScalar(place, span), ElementType::kBool, span);
      element = Select(is_here, ElementAt(*given, rest, span), element, span);
    };
    for (size_t i = 0; i < history->before.size(); ++i)
      choose(history->before[i], Size(-1 - static_cast<int64_t>(i)));
    for (size_t i = 0; i < history->after.size(); ++i)
      choose(history->after[i], history->length + Size(static_cast<int64_t>(i)));
    return element;
  };
  return SubscriptRow(row, expr, node, otherwise);
}

}  // namespace weft::dsl::sema
