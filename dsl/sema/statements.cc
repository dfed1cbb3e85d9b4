// Statements: equations store tensors, `for` repeats when compiling (R5, R6, R9).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"
#include "dsl/sema/suggestions.h"

namespace weft::dsl::sema {

namespace {

// Whether an expression reads, reduces or is long: only cheap ones are computed where they are used. `left`:
// how many nodes are still cheap.
bool Computes(const ExprPtr& expr, int& left) {
  if (--left < 0) return true;
  if (const auto* apply = std::get_if<Apply>(&expr->node)) {
    return std::any_of(apply->operands.begin(), apply->operands.end(),
                       [&](const ExprPtr& operand) { return Computes(operand, left); });
  }
  if (const auto* cast = std::get_if<Cast>(&expr->node)) return Computes(cast->operand, left);
  return std::holds_alternative<Reduce>(expr->node) || std::holds_alternative<Read>(expr->node);
}

bool Computes(const ExprPtr& expr) {
  int left = 64;
  return Computes(expr, left);
}

}  // namespace

void Elaborator::Emit(Span span, const std::string& name, decltype(Statement::node) node) {
  if (!statements_) return;
  Statement statement;
  statement.node = std::move(node);
  statement.span = span;
  std::string equation = frame_->equation.empty() ? name : frame_->equation;
  statement.path = frame_->path.empty() ? equation
                   : equation.empty()   ? frame_->path
                                        : absl::StrCat(frame_->path, ".", equation);
  statement.enclosing = EnclosingOf(equation);
  statements_->push_back(std::move(statement));
  ++work_;
}

std::vector<Enclosing> Elaborator::EnclosingOf(const std::string& equation) const {
  std::vector<Enclosing> enclosing;
  std::string below = equation;
  for (const Frame* frame = frame_; frame && !frame->declaration.empty(); frame = frame->caller) {
    enclosing.push_back({frame->declaration, frame->declared, below});
    if (frame->is_method || !frame->caller || frame->caller->equation.empty()) break;
    below = below.empty() ? frame->caller->equation : absl::StrCat(frame->caller->equation, ".", below);
  }
  return enclosing;
}

void Elaborator::RunBlock(const ast::Block& block) {
  for (ast::StmtPtr stmt : block.statements) {
    if (!Work(stmt->span)) return;
    RunStatement(*stmt);
  }
}

void Elaborator::RunStatement(const ast::Stmt& stmt) {
  if (stmt.broken) {
    BindUnknown(stmt);
  } else if (const auto* let = stmt.As<ast::Let>()) {
    Value value = Eval(*let->value);
    Bind(let->name.text, AsLet(*let, std::move(value)), let->name.span);
  } else if (const auto* equation = stmt.As<ast::Equation>()) {
    RunEquation(stmt, *equation);
  } else if (const auto* loop = stmt.As<ast::For>()) {
    RunFor(*loop);
  } else if (const auto* expect = stmt.As<ast::Expect>()) {
    RunExpect(stmt, *expect);
  } else if (const auto* rec = stmt.As<ast::Rec>()) {
    RunRec(stmt, *rec);
  }
}

// A tensor, a computed scalar, or something with one in it.
bool Elaborator::HoldsValues(const Value& value) {
  auto holds = [](const Value& part) { return HoldsValues(part); };
  if (const auto* list = value.As<std::shared_ptr<ListValue>>())
    return std::any_of((*list)->elements.begin(), (*list)->elements.end(), holds);
  if (const auto* record = value.As<std::shared_ptr<Record>>())
    return std::any_of((*record)->fields.begin(), (*record)->fields.end(),
                       [](const auto& field) { return HoldsValues(field.second); });
  const Scalar* scalar = value.As<Scalar>();
  return value.As<TensorPtr>() || (scalar && !IsOfSizes(*scalar->expr));
}

// What a `let` names is known when compiling (R25).
Value Elaborator::AsLet(const ast::Let& let, Value value) {
  if (!HoldsValues(value)) return value;
  Report(let.value->span, kStage, absl::StrCat("`let ", let.name.text, "`"),
         "a number or a size; leave `let` out for a value");
  return Poison{};
}

void Elaborator::RunFor(const ast::For& node) {
  std::vector<Value> elements;
  Value range = Eval(*node.range);
  if (!Elements(range, node.range->span, &elements)) {
    for (ast::StmtPtr stmt : node.body.statements) BindUnknown(*stmt);
    return;
  }
  // Names bound without indices are carried round, so they live outside; the pattern and indexed names in one
  // round. A state may get a next value in every round: the rounds chain.
  std::map<StateKey, const ast::Head*> next_before = frame_->next_heads, next_in_rounds = next_before;
  for (const Value& element : elements) {
    if (!Work(node.range->span)) return;
    frame_->next_heads = next_before;
    frame_->scopes.emplace_back();
    frame_->rounds.push_back(&element - elements.data());
    BindPattern(node.pattern, element);
    RunBlock(node.body);
    frame_->rounds.pop_back();
    std::map<std::string, Binding> inner = std::move(frame_->scopes.back());
    frame_->scopes.pop_back();
    for (ast::StmtPtr stmt : node.body.statements) {
      const auto* equation = stmt->As<ast::Equation>();
      if (!equation) continue;
      for (const ast::Head& head : equation->heads) {
        if (head.has_binders || head.is_next) continue;
        auto bound = inner.find(head.path.parts[0].text);
        if (bound != inner.end()) Bind(bound->first, bound->second.value, bound->second.span);
      }
    }
    next_in_rounds.merge(frame_->next_heads);
  }
  frame_->next_heads = std::move(next_in_rounds);
}

bool Elaborator::OpenBinder(const ast::Binder& binder, std::vector<LeftAxis>* axes) {
  LeftAxis axis;
  axis.span = binder.span;
  if (binder.kind == ast::Binder::Kind::kColon) {
    axes->push_back(axis);
    return true;
  }
  if (binder.kind == ast::Binder::Kind::kPack) {
    std::vector<IndexPtr> members;
    if (!BindBinder(binder, &members)) return false;
    for (const IndexPtr& index : members) axes->push_back({{index}, binder.span});
    return true;
  }
  if (binder.kind != ast::Binder::Kind::kGroup && binder.kind != ast::Binder::Kind::kIndex) {
    Report(binder.span, kInvalidExpression, "on the left stand indices");
    return false;
  }
  if (binder.kind == ast::Binder::Kind::kIndex && binder.bound == ast::Binder::Bound::kIn) {
    Report(binder.span, kInvalidExpression, "an index on the left counts from 0; write `<`");
    return false;
  }
  if (!BindBinder(binder, &axis.members)) return false;
  for (const IndexPtr& index : axis.members) {
    if (index->upper_value) {
      Report(index->span, kValueAsSize, absl::StrCat("the end of `", index->name, "`"),
             "a value computed at run time")
          .Suggest(kSuggestPadding);
      return false;
    }
  }
  axes->push_back(axis);
  return true;
}

// Brings the left indices into force; ranges come from what is written, else from the declared shape.
bool Elaborator::OpenHead(const ast::Head& head, std::vector<LeftAxis>* axes) {
  for (const ast::Binder& binder : head.binders) {
    if (!OpenBinder(binder, axes)) return false;
  }
  int before = diagnostics_.error_count();
  DeclaredType declared = DeclarationOf(head);
  if (diagnostics_.error_count() > before) return false;
  if (!declared.shape) return true;
  if (axes->size() > declared.shape->size()) {
    Report(head.span, kRankMismatch, absl::StrCat("`", head.path.ToString(), "`"),
           absl::StrCat(axes->size(), axes->size() == 1 ? " index" : " indices"),
           absl::StrCat("its declaration ", declared.shape->size(),
                        declared.shape->size() == 1 ? " axis" : " axes"))
        .Note(declared.span, "declared here");
    return false;
  }
  for (size_t i = 0; i < axes->size(); ++i) {
    const LeftAxis& axis = (*axes)[i];
    std::optional<Size> extent = (*declared.shape)[i];
    if (!extent || axis.members.empty()) continue;
    IndexPtr open;
    Size product(1);
    bool several = false;
    for (const IndexPtr& index : axis.members) {
      if (index->upper) {
        product = product * *index->upper;
      } else {
        several |= open != nullptr;
        open = index;
      }
    }
    if (!open || several) continue;
    std::optional<Size> rest = ExactDiv(*extent, product);
    if (rest && rest->IsWhole()) {
      SetRange(*open, Size(0), *rest);
      open->written = false;
      open->ranged = declared.span;
    } else if (extent->AsInteger() && product.AsInteger()) {
      Report(axis.span, kGroupSize, absl::StrCat("multiples of ", product.ToString()), extent->ToString());
      return false;
    }
  }
  return true;
}

namespace {

// The state of a model by that name, or null.
const ast::StoredMember* StateNamed(const ModelPtr& model, const std::string& name) {
  if (!model) return nullptr;
  for (const ast::Member* member : model->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    bool is_state = stored && stored->kind == ast::StoredMember::Kind::kState;
    if (is_state && stored->name.text == name) return stored;
  }
  return nullptr;
}

}  // namespace

// An equation with indices binds a name once, no equation binds one twice (R5); all heads have indices or
// none.
bool Elaborator::CheckHeads(const ast::Equation& equation) {
  std::map<std::string, Span> own;
  bool ok = true;
  for (const ast::Head& head : equation.heads) {
    if (head.drops()) continue;
    if (head.is_next) ok = CheckNext(head, equation) && ok;
    if (head.is_next || head.path.parts.size() != 1) continue;
    if (equation.leading().has_binders && !head.has_binders) {
      Report(head.span, kInvalidExpression,
             absl::StrCat("`", head.path.ToString(), "` has no indices, the result beside it has some"))
          .Note(equation.leading().span, "what is called under indices has all of its results under them");
      ok = false;
    }
    const std::string& name = head.path.parts[0].text;
    if (const ast::StoredMember* state = StateNamed(frame_->self, name);
        state && !Find(name) && !frame_->results.contains(name)) {
      Report(head.path.span, kAssignedState, name)
          .Note(state->name.span, "the state is declared here")
          .Suggest(absl::StrCat("`next ", name, " = ...` gives its value after this application"));
      ok = false;
    }
    Binding* before = head.has_binders ? Find(name) : nullptr;
    auto [place, is_new] = own.try_emplace(name, head.path.span);
    if (is_new && !before) continue;
    Report(head.path.span, kDuplicateName, name)
        .Note(is_new ? before->span : place->second,
              "bound here; an equation with indices binds a name once");
    ok = false;
  }
  return ok;
}

void Elaborator::RunEquation(const ast::Stmt& stmt, const ast::Equation& equation) {
  if (!CheckHeads(equation)) {
    for (const ast::Head& head : equation.heads) {
      const std::string& name = head.path.parts[0].text;
      if (!head.is_next && !Find(name)) Bind(name, Poison{}, head.span);
    }
    return;
  }
  std::vector<Value> results = EquationResults(stmt, equation);
  for (size_t i = 0; i < equation.heads.size(); ++i) {
    const ast::Head& head = equation.heads[i];
    if (head.is_next) RunNext(head, results[i]);
    if (head.is_next || head.drops()) continue;
    if (head.path.parts.size() != 1) {
      Report(head.path.span, kInvalidExpression, "only `next` changes a member of a model");
      continue;
    }
    const std::string& name = head.path.parts[0].text;
    if (head.has_binders) {
      Binding binding;
      binding.value = results[i];
      binding.span = head.path.span;
      binding.never_absent = true;
      frame_->scopes.back()[name] = std::move(binding);
    } else {
      Bind(name, results[i], head.path.span);
    }
  }
}

std::vector<Value> Elaborator::EquationResults(const ast::Stmt& stmt, const ast::Equation& equation) {
  std::vector<Deferred> outer_deferred;
  std::swap(outer_deferred, deferred_);
  std::string outer_equation = frame_->equation;
  const ast::Head& first = equation.leading();
  if (!frame_->is_inline) frame_->equation = first.path.parts.back().text;
  BeginSentence(first.path.parts.back().text, equation.value);

  frame_->scopes.emplace_back();
  size_t in_force_before = in_force_.size();
  std::vector<LeftAxis> axes;
  bool ok = !first.has_binders || OpenHead(first, &axes);
  std::vector<std::vector<LeftAxis>> all_axes(equation.heads.size(), axes);
  for (size_t i = 0; ok && i < equation.heads.size(); ++i) {
    // Further heads name the same indices, perhaps in another order or with rows kept elsewhere.
    if (&equation.heads[i] == &first) continue;
    std::vector<LeftAxis>& own = all_axes[i];
    own.clear();
    for (const ast::Binder& binder : equation.heads[i].binders) {
      Binding* bound = binder.kind == ast::Binder::Kind::kIndex ? Find(binder.name.text) : nullptr;
      if (bound && bound->index) {
        own.push_back({{bound->index}, binder.span});
      } else if (!OpenBinder(binder, &own)) {
        ok = false;
        break;
      }
    }
  }
  Value value = ok ? Eval(*equation.value) : Value(Poison{});

  std::vector<Value> parts;
  if (equation.heads.size() == 1) {
    parts = {value};
  } else if (const auto* record = value.As<std::shared_ptr<Record>>();
             record && (*record)->fields.size() == equation.heads.size()) {
    CheckOrder(equation, **record);
    for (const auto& [name, field] : (*record)->fields) parts.push_back(field);
  } else if (const auto* list = value.As<std::shared_ptr<ListValue>>();
             list && (*list)->elements.size() == equation.heads.size()) {
    parts = (*list)->elements;
  } else {
    if (!value.IsPoison()) {
      const auto* given = value.As<std::shared_ptr<ListValue>>();
      size_t count = record ? (*record)->fields.size() : given ? (*given)->elements.size() : 1;
      Report(equation.value->span, kTypeMismatch,
             absl::StrCat(equation.heads.size(), " names stand on the left, the right side has ", count,
                          count == 1 ? " value" : " values"));
    }
    parts.assign(equation.heads.size(), Poison{});
  }
  std::vector<Value> results;
  for (size_t i = 0; i < equation.heads.size(); ++i) {
    const ast::Head& head = equation.heads[i];
    const std::vector<LeftAxis>& own = i < all_axes.size() ? all_axes[i] : axes;
    if (head.drops() || parts[i].IsPoison()) {
      results.push_back(parts[i]);
    } else if (head.is_next) {
      results.push_back(NextValue(head, own, parts[i], equation.value->span));
    } else if (head.has_binders) {
      results.push_back(Define(head, own, parts[i], stmt.span));
    } else {
      results.push_back(Store(head.path.parts[0].text, parts[i], DeclarationOf(head), equation.value->span));
    }
  }
  RunDeferred();
  std::swap(outer_deferred, deferred_);
  // An index that nothing ranged was reported; the name is unknown then.
  frame_->scopes.pop_back();
  in_force_.resize(in_force_before);
  frame_->equation = outer_equation;
  return results;
}

// Heads take results by place, so one with the name of another result is a mistake (R30).
void Elaborator::CheckOrder(const ast::Equation& equation, const Record& results) {
  for (size_t i = 0; i < equation.heads.size(); ++i) {
    const std::string& name = equation.heads[i].path.parts.back().text;
    for (size_t j = 0; j < results.fields.size(); ++j) {
      if (i == j || results.fields[j].first != name || results.fields[i].first == name) continue;
      Report(equation.heads[i].path.span, kSwappedResults, name, results.fields[i].first);
      return;
    }
  }
}

bool Elaborator::IsGlobal(const Size& size) {
  for (const Size::Term& term : size.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kSymbol && !atom->lo) return false;
      for (const Size& operand : atom->operands) {
        if (!IsGlobal(operand)) return false;
      }
    }
  }
  return true;
}

// Sizes that a form is bounded by, perhaps.
void Elaborator::CollectBounds(const Size& form, std::vector<Size>* bounds) {
  for (const Size::Term& term : form.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      bool is_rest = atom->kind == SizeAtom::Kind::kMod && IsGlobal(atom->operands[1]);
      if (is_rest) bounds->push_back(atom->operands[1] - Size(1));
      for (const Size& operand : atom->operands) {
        if (IsGlobal(operand)) {
          bounds->push_back(operand);
        } else if (std::optional<std::pair<Size, Size>> hull = Hull(operand, {})) {
          // Of `clip(k - 1, 0, n)` the least is 0 where n is no less than that, which may be open still.
          if (IsGlobal(hull->first) && MakeProver({hull->first}, {}).IsNatural(hull->first))
            bounds->push_back(hull->first);
          if (IsGlobal(hull->second)) bounds->push_back(hull->second);
        }
        CollectBounds(operand, bounds);
      }
    }
  }
}

// Bounds of an int by what `minimum`, `maximum`, `%` and `clip` in its form say; an open end is a symbol of
// its own.
std::optional<std::pair<Size, Size>> Elaborator::RangeOf(const Size& form) {
  if (IsGlobal(form)) return std::pair(form, form + Size(1));
  if (form.IsBareSymbol()) {  // its own
    auto known = ranges_.find(form.terms()[0].monomial[0].first->id);
    return known != ranges_.end() ? std::optional(known->second) : std::nullopt;
  }
  std::vector<Size> candidates{Size(0)};
  CollectBounds(form, &candidates);
  // `clip(x, 2, 5) - 2` is bounded by what bounds the clip, moved along.
  for (const Size::Term& term : form.terms()) {
    if (term.monomial.size() != 1 || term.monomial[0].second != 1) continue;
    std::vector<Size> bounds;
    Size factor = Size::FromRational(term.coefficient), atom = Size::OfAtom(term.monomial[0].first);
    CollectBounds(atom, &bounds);
    for (const Size& bound : bounds) {
      Size moved = form - factor * atom + factor * bound;
      if (IsGlobal(moved)) candidates.push_back(moved);
    }
  }
  std::optional<Size> low, high;
  for (const Size& candidate : candidates) {
    // The first that holds, unless a later one is seen to be tighter.
    Prover prover = MakeProver({form, candidate}, facts_);
    bool is_tighter = !low || prover.IsPositive(candidate - *low);
    if (is_tighter && prover.IsNatural(form - candidate)) low = candidate;
    if (!prover.IsNatural(candidate - form)) continue;
    Size end = prover.IsPositive(candidate - form) ? candidate : candidate + Size(1);
    if (!high || prover.IsPositive(*high - end)) high = end;
  }
  if (!low && !high) return std::nullopt;
  if (!low) low = Size::Symbol(next_symbol_++, "low");
  if (!high) high = Size::Symbol(next_symbol_++, "high");
  return std::pair(*low, *high);
}

// An equation with indices: a stored tensor over the left axes and the rows of the right side.
Value Elaborator::Define(const ast::Head& head, const std::vector<LeftAxis>& axes, const Value& value,
                         Span span) {
  if (IsRecord(value)) {
    std::vector<Value> parts;
    for (const auto& [name, branch] : Branches(value)) parts.push_back(Define(head, axes, branch, span));
    return WithBranches(value, std::move(parts));
  }
  if (value.IsAbsent()) {
    Report(span, kAbsence, "the right side is absent here");
    return Poison{};
  }
  for (const LeftAxis& axis : axes) {
    for (const IndexPtr& index : axis.members) {
      if (index->upper) continue;
      Report(index->span, kUnrangedIndex, index->name);
      return Poison{};
    }
  }
  const std::string& name = head.path.parts.back().text;
  DeclaredType declared = DeclarationOf(head);
  TensorPtr row;
  if (value.As<std::shared_ptr<ListValue>>() || value.As<TensorPtr>()) {
    std::optional<TensorPtr> tensor = AsTensor(value, span, declared.element);
    if (!tensor) return Poison{};
    row = *tensor;
  }
  // A value that is the row of a stored tensor at exactly these indices is that tensor.
  bool plain = row && row->id >= 0 && row->slots.size() == axes.size() + row->shape.size() &&
               head.binders.size() == axes.size();
  for (size_t i = 0; plain && i < row->slots.size(); ++i) {
    const Slot& slot = row->slots[i];
    if (i < axes.size()) {
      const auto* ref = slot.fixed ? std::get_if<IndexRef>(&slot.fixed->at.expr->node) : nullptr;
      plain = axes[i].members.size() == 1 && ref && ref->index == axes[i].members[0]->id &&
              slot.fixed->outside == Outside::kInside &&
              method_->tensors[row->id].shape[i] == *axes[i].members[0]->upper;
    } else {
      plain = slot.axis == static_cast<int>(i - axes.size()) && !slot.rows && slot.offset == Size(0) &&
              method_->tensors[row->id].shape[i] == row->shape[i - axes.size()];
    }
  }
  if (plain && (!declared.element || *declared.element == row->type)) {
    auto whole = std::make_shared<TensorValue>(*StoredTensor(row->id));
    whole->range = row->range;
    if (!CheckDeclared(declared, whole, name, span)) return Poison{};
    return TensorPtr(whole);
  }

  Equation equation;
  std::vector<std::vector<int>> groups;
  std::vector<Size> fine, coarse;
  std::vector<Scalar> at(row ? row->shape.size() : 0);
  size_t next_row = 0;
  auto add = [&](const std::vector<IndexPtr>& members) {
    groups.emplace_back();
    Size product(1);
    for (const IndexPtr& index : members) {
      groups.back().push_back(static_cast<int>(fine.size()));
      fine.push_back(*index->upper);
      equation.domain.push_back({index->id, index->name, *index->upper});
      product = product * *index->upper;
    }
    coarse.push_back(product);
  };
  auto add_row = [&] {
    IndexPtr index = NewIndex(absl::StrCat("i", next_row), span);
    SetRange(*index, Size(0), row->shape[next_row]);
    at[next_row++] = IndexScalar(*index, span);
    add({index});
  };
  for (const LeftAxis& axis : axes) {
    if (!axis.members.empty()) {
      add(axis.members);
    } else if (row && next_row < row->shape.size()) {
      add_row();
    } else {
      Report(axis.span, kMixedRows, "`:` keeps an axis, but the right side has no row left for it");
      return Poison{};
    }
  }
  while (row && next_row < row->shape.size()) add_row();

  std::optional<Scalar> element =
      row ? std::optional<Scalar>(ElementAt(*row, at, span)) : ToScalar(value, declared.element, span);
  if (!element) return Poison{};
  if (declared.element && element->type != *declared.element) {
    std::optional<ElementType> meeting = Meet(element->type, *declared.element);
    if (!meeting || *meeting != *declared.element) {
      Report(span, kTypeMismatch,
             absl::StrCat("`", name, "` is declared with another type than the right side has"))
          .Note(declared.span, "declared here");
      return Poison{};
    }
    element = CastTo(*element, *declared.element, span);
  }
  std::optional<std::pair<Size, Size>> range = row ? row->range : std::nullopt;
  if (element->form && !range) range = RangeOf(*element->form);
  if (declared.range) {
    RequireRange(*element, *declared.range, span, absl::StrCat("`", name, "`"), declared.span);
    range = declared.range;
  }
  TensorId id = NewTensor(name, element->type, fine, head.path.span);
  equation.results = {id};
  equation.bodies = {element->expr};
  Emit(span, name, std::move(equation));
  bool grouped =
      std::any_of(groups.begin(), groups.end(), [](const auto& group) { return group.size() != 1; });
  if (grouped) {
    TensorId collapsed = NewTensor(name, element->type, coarse, head.path.span);
    Emit(span, name, Collapse{collapsed, id, groups});
    id = collapsed;
  }
  auto stored = std::make_shared<TensorValue>(*StoredTensor(id));
  stored->range = range;
  if (!CheckDeclared(declared, stored, name, span)) return Poison{};
  return TensorPtr(stored);
}

// A name without indices: a number stays one, everything computed is stored, except in bodies of scalars.
Value Elaborator::Store(const std::string& name, Value value, const DeclaredType& declared, Span span) {
  if (value.IsAbsent()) return value;
  if (declared.record) return AsRecord(declared, value, name, span);
  if (declared.element && value.IsNumber() && !value.As<std::string>() && declared.shape) {
    std::optional<Scalar> scalar = ToScalar(value, declared.element, span);
    if (!scalar) return Poison{};
    if (!Meet(scalar->type, *declared.element)) {
      Report(span, kTypeMismatch,
             absl::StrCat("`", name, "` is declared with another type than the right side has"))
          .Note(declared.span, "declared here");
      return Poison{};
    }
    if (declared.shape->empty()) return CastTo(*scalar, *declared.element, span);
    auto filled = std::make_shared<TensorValue>();  // a number fills a declared shape
    filled->type = *declared.element;
    for (const std::optional<Size>& size : *declared.shape) {
      if (!size) return Poison{};
      filled->shape.push_back(*size);
    }
    filled->rule = [scalar = CastTo(*scalar, *declared.element, span)](const std::vector<Scalar>&) {
      return scalar;
    };
    return Materialize(filled, name, span);
  }
  if (value.As<std::shared_ptr<ListValue>>() && declared.element) {
    std::optional<TensorPtr> tensor = AsTensor(value, span, declared.element);
    if (!tensor) return Poison{};
    value = *tensor;
  }
  if (const TensorPtr* tensor = value.As<TensorPtr>()) {
    TensorPtr stored = *tensor;
    if (declared.element && stored->type != *declared.element) {
      std::optional<ElementType> meeting = Meet(stored->type, *declared.element);
      if (!meeting || *meeting != *declared.element) {
        Report(span, kTypeMismatch,
               absl::StrCat("`", name, "` is declared with another type than the right side has"))
            .Note(declared.span, "declared here");
        return Poison{};
      }
      Value cast = CastValue(*declared.element, stored, span);
      if (!cast.As<TensorPtr>()) return Poison{};
      stored = *cast.As<TensorPtr>();
    }
    if (!frame_->is_inline) stored = Materialize(stored, name, span);
    if (declared.range) {
      RequireRange(stored, *declared.range, span, absl::StrCat("`", name, "`"));
      auto ranged = std::make_shared<TensorValue>(*stored);
      ranged->range = declared.range;
      stored = ranged;
    }
    if (!CheckDeclared(declared, stored, name, span)) return Poison{};
    return stored;
  }
  if (const Scalar* scalar = value.As<Scalar>()) {
    if (declared.shape && !declared.shape->empty()) {
      Report(span, kRankMismatch, absl::StrCat("`", name, "`"), "one computed value here",
             absl::StrCat("its declaration ", declared.shape->size(), " axes; write the indices on the left"))
          .Note(declared.span, "declared here");
      return Poison{};
    }
    Scalar result = *scalar;
    if (declared.element && result.type != *declared.element) {
      std::optional<ElementType> meeting = Meet(result.type, *declared.element);
      if (!meeting || *meeting != *declared.element) {
        Report(span, kTypeMismatch,
               absl::StrCat("`", name, "` is declared with another type than the right side has"))
            .Note(declared.span, "declared here");
        return Poison{};
      }
      result = CastTo(result, *declared.element, span);
    }
    if (declared.range) RequireRange(result, *declared.range, span, absl::StrCat("`", name, "`"));
    if (frame_->is_inline || !Computes(result.expr)) return result;
    auto tensor = std::make_shared<TensorValue>();
    tensor->type = result.type;
    tensor->rule = [result](const std::vector<Scalar>&) { return result; };
    TensorPtr stored = Materialize(tensor, name, span);
    Scalar element = ElementAt(*stored, {}, span);
    element.form = result.form ? result.form : element.form;
    return element;
  }
  if (IsRecord(value)) {
    auto branches = Branches(value);
    if (declared.element) {
      Report(span, kTypeMismatch,
             absl::StrCat("`", name, "` is one value, the right side has ", branches.size()))
          .Note(declared.span, "declared here");
      return Poison{};
    }
    bool is_list = value.As<std::shared_ptr<ListValue>>() != nullptr;
    std::vector<Value> parts;
    for (const auto& [field, part] : branches)
      parts.push_back(Store(is_list ? name : field, part, DeclaredType(), span));
    return WithBranches(value, std::move(parts));
  }
  return value;
}

}  // namespace weft::dsl::sema
