// What the data decides: the order of elements (argsort, topk), and how many there are (filter; R17, R28,
// R29).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// Of whatever the data says, from `least` to `most`.
Size Elaborator::NewFoundSize(const std::string& name, const Size& least, const Size& most) {
  int symbol = next_symbol_++;
  found_[symbol] = most;
  ranges_[symbol] = {least, most + Size(1)};
  return Size::Symbol(symbol, name, 0);
}

bool Elaborator::IsFound(const Size& size) const {
  return std::any_of(found_.begin(), found_.end(),
                     [&](const auto& found) { return Mentions(size, found.first); });
}

std::set<int> Elaborator::FoundIn(const std::vector<Statement>& statements) {
  std::set<int> found;
  for (const Statement& statement : statements) {
    if (const auto* filter = std::get_if<Filter>(&statement.node)) found.insert(filter->size);
    if (const auto* parallel = std::get_if<Parallel>(&statement.node)) found.merge(FoundIn(parallel->body));
    if (const auto* branch = std::get_if<Branch>(&statement.node)) {
      found.merge(FoundIn(branch->then));
      found.merge(FoundIn(branch->otherwise));
    }
    if (const auto* steps = std::get_if<Recurrence>(&statement.node)) {
      found.merge(FoundIn(steps->body));
      if (steps->size >= 0) found.insert(steps->size);
    }
  }
  return found;
}

bool Elaborator::IsRagged(TensorId row, const std::set<int>& found) const {
  const std::vector<Size>& shape = method_->tensors[row].shape;
  return std::any_of(shape.begin(), shape.end(), [&](const Size& size) {
    return std::any_of(found.begin(), found.end(), [&](int symbol) { return Mentions(size, symbol); });
  });
}

// A call under indices in which lists are found: their lengths differ from point to point, so it is made for
// one after the other.
void Elaborator::EmitOneByOne(Span span, Parallel parallel) {
  std::vector<TensorId> rows;
  for (const Parallel::Yield& yield : parallel.yields) rows.push_back(yield.inner);
  std::vector<Statement> body = std::move(parallel.body);
  std::vector<Statement>* outside = statements_;
  for (size_t depth = parallel.domain.size(); depth-- > 0;) {
    Recurrence steps;
    steps.index = parallel.domain[depth];
    steps.body = std::move(body);
    for (size_t i = 0; i < rows.size(); ++i) {
      Recurrence::State state;
      state.slice = rows[i];
      const Tensor row = method_->tensors[rows[i]];
      std::vector<Size> shape{steps.index.extent};
      shape.insert(shape.end(), row.shape.begin(), row.shape.end());
      state.result = depth == 0 ? parallel.yields[i].outer : NewTensor(row.name, row.element, shape, span);
      rows[i] = state.result;
      steps.states.push_back(std::move(state));
    }
    body.clear();
    statements_ = depth == 0 ? outside : &body;
    Emit(span, frame_->equation, std::move(steps));
  }
  statements_ = outside;
}

// Whether sizes say how far the index goes; reports where data or an index further out do.
bool Elaborator::IsBounded(const Index& index, const std::string& word) {
  if (!index.upper_value && IsGlobal(*index.upper) && IsGlobal(*index.lower)) return true;
  Report(index.span, kUnboundedList, word, index.name)
      .Suggest(absl::StrCat("give `", index.name, "` the range of an axis, and test how far it goes in ",
                            word == "filter" ? "the condition" : "the body"));
  return false;
}

// The condition or the key, as a scalar over the indices; nothing after an error.
std::optional<Scalar> Elaborator::SelectionBody(const ast::Reduction& node, const OpenedReduction& opened) {
  std::string word = ast::Spelling(node.word);
  bool filters = node.word == ast::ReductionWord::kFilter;
  if (opened.body.As<TensorPtr>() || opened.body.As<std::shared_ptr<ListValue>>() ||
      opened.body.As<std::shared_ptr<Record>>()) {
    Report(node.body->span, kMixedRows,
           absl::StrCat("`", word, "` takes one value for each position, not a row"));
    return std::nullopt;
  }
  std::optional<ElementType> want;
  if (opened.body.As<double>()) want = FloatType();
  std::optional<Scalar> body = ToScalar(opened.body, want, node.body->span);
  if (!body) return std::nullopt;
  if (filters != (body->type == ElementType::kBool)) {
    Report(node.body->span, kTypeMismatch,
           absl::StrCat("`", word, filters ? "` needs a condition" : "` needs numbers"));
    return std::nullopt;
  }
  if (body->type == ElementType::kU8) body = CastTo(*body, ElementType::kInt, node.body->span);
  if (opened.condition.IsPoison() && !node.condition) return body;
  std::optional<Scalar> where = ToScalar(opened.condition, std::nullopt, node.condition->span);
  if (!where || where->type != ElementType::kBool) {
    if (where) Report(node.condition->span, kTypeMismatch, "after `where` stands a condition");
    return std::nullopt;
  }
  return Select(*where, *body, Literal(ElementType::kBool, 0, node.body->span), node.body->span);
}

// A vector of positions among all that the indices go through, row-major: statements of their own.
TensorPtr Elaborator::SelectFrom(const ast::Reduction& node, const std::vector<IndexPtr>& indices,
                                 const Scalar& body, const std::optional<Size>& limit, Span span) {
  std::string name = frame_->equation.empty() ? ast::Spelling(node.word) : frame_->equation;
  Equation keys;
  std::vector<Size> shape;
  Size count(1);
  std::vector<int> axes;
  for (const IndexPtr& index : indices) {
    Size extent = *index->upper - *index->lower;
    axes.push_back(static_cast<int>(shape.size()));
    shape.push_back(extent);
    keys.domain.push_back({index->id, index->name, extent});
    count = count * extent;
  }
  TensorId id = NewTensor(name, body.type, shape, span);
  keys.results = {id};
  keys.bodies = {body.expr};
  Emit(span, name, std::move(keys));
  if (indices.size() > 1) {
    TensorId flat = NewTensor(name, body.type, {count}, span);
    Emit(span, name, Collapse{flat, id, {axes}});
    id = flat;
  }
  Size length = count;
  if (limit && !MakeProver({*limit, count}, {}).AtMost(count, *limit))
    length = MakeProver({*limit, count}, {}).AtMost(*limit, count) ? *limit : Minimum(count, *limit);
  if (node.word == ast::ReductionWord::kFilter) {
    Size found = NewFoundSize(absl::StrCat("len(", name, ")"), Size(0), length);
    TensorId result = NewTensor(name, ElementType::kInt, {found}, span);
    Emit(span, name, Filter{result, id, found.terms()[0].monomial[0].first->id, length});
    id = result;
  } else {
    TensorId result = NewTensor(name, ElementType::kInt, {length}, span);
    Emit(span, name, Sort{result, id, node.word == ast::ReductionWord::kTopK});
    id = result;
  }
  auto places = std::make_shared<TensorValue>(*StoredTensor(id));
  places->range = {Size(0), count};
  return places;
}

// The position along each index, of places among all of them.
Value Elaborator::PositionsAlong(const TensorPtr& places, const std::vector<IndexPtr>& indices, Span span) {
  if (indices.size() == 1 && *indices[0]->lower == Size(0)) return places;
  auto record = std::make_shared<Record>();
  for (size_t i = 0; i < indices.size(); ++i) {
    auto along = std::make_shared<TensorValue>();
    along->type = ElementType::kInt;
    along->shape = places->shape;
    along->range = {*indices[i]->lower, *indices[i]->upper};
    along->rule = [this, places, indices, i, span](const std::vector<Scalar>& at) {
      Value all = Positions(ElementAt(*places, at, span).expr, indices, nullptr, span);
      return *(*all.As<std::shared_ptr<Record>>())->fields[i].second.As<Scalar>();
    };
    record->fields.emplace_back(indices[i]->name, Materialize(along, indices[i]->name, span));
  }
  return indices.size() == 1 ? record->fields[0].second : Value(record);
}

Value Elaborator::EvalSelection(const ast::Expr& expr, const ast::Reduction& node,
                                const ast::Expr* otherwise) {
  std::string word = ast::Spelling(node.word);
  if (otherwise) {
    Report(otherwise->span, kInvalidExpression,
           absl::StrCat("`", word, "` of nothing is an empty list, so nothing can stand in for it"));
    return Poison{};
  }
  std::optional<Size> limit;
  if (node.limit) {
    limit = AsSize(Eval(*node.limit), node.limit->span,
                   absl::StrCat("the number of elements of `", word, "`").c_str());
    if (!limit) return Poison{};
    if (MakeProver({*limit}, {}).IsPositive(Size(0) - *limit)) {
      Report(node.limit->span, kInvalidExpression,
             absl::StrCat("`", word, "` gives no fewer than 0 elements"));
      return Poison{};
    }
  }
  OpenedReduction opened;
  if (!OpenReduction(node, &opened)) return Poison{};
  for (const IndexPtr& index : opened.indices) {
    if (!IsBounded(*index, word)) return Poison{};
  }
  std::optional<Scalar> body = SelectionBody(node, opened);
  if (!body) return Poison{};
  std::set<IndexId> mentioned = FreeIndices(*body);
  std::vector<IndexPtr> around;
  for (const IndexPtr& index : in_force_) {
    if (mentioned.contains(index->id)) around.push_back(index);
  }
  return UnderIndices(around, expr.span, [&]() -> Value {
    return PositionsAlong(SelectFrom(node, opened.indices, *body, limit, expr.span), opened.indices,
                          expr.span);
  });
}

// A declared size `K <= N`, now that there is a tensor with it: K is its size from here on, and N is a
// promise that is proved, or checked when the size is known.
bool Elaborator::BindFound(const ast::SizeExpr& declared, const Size& size, const std::string& what,
                           Span span) {
  std::optional<Size> most = AsSize(Eval(*declared.at_most), declared.at_most->span, "the bound of a size");
  if (!most) return false;
  Binding* binding = declared.name.text.empty() ? nullptr : Find(declared.name.text);
  bool is_first = !binding || frame_->bounded.insert(declared.name.text).second;
  Prover prover = MakeProver({size, *most}, facts_);
  if (is_first && binding) frame_->declared_bounds.emplace(declared.name.text, *most);
  if (is_first && !prover.AtMost(size, *most)) {
    if (prover.IsPositive(size - *most)) {
      Report(span, kFoundBound, what, size.ToString(), most->ToString()).Note(declared.span, "declared here");
      return false;
    }
    if (!generic_ && statements_) {
      Check check{Check::Relation::kAtMost, size, *most, "", {size, *most}};
      check.message = absl::StrCat(what, " has {0} elements, more than the {1} of its declaration, `",
                                   sources_.Text(declared.span), "`", Because(span));
      Emit(span, "", std::move(check));
    }
  }
  if (!binding) return true;
  if (binding->value.IsPoison()) binding->value = size;
  const Size* known = binding->value.As<Size>();
  return !known || RequireEqual(size, *known, span, what, declared.span);
}

// Of two bounds of a size the one to tell: the smaller one where that is known, and a number before a
// formula.
Size Elaborator::TighterBound(const Size& seen, const Size& declared) {
  bool is_within = MakeProver({seen, declared}, {}).AtMost(seen, declared);
  return is_within && (seen.AsInteger() || !declared.AsInteger()) ? seen : declared;
}

// Outputs call found sizes as the method's declaration does.
void Elaborator::NameFoundSizes(const Frame& frame) {
  std::map<int, Size> names;
  for (const std::string& name : frame.found_names) {
    const Size* size = frame.scopes[0].at(name).value.As<Size>();
    if (!size || !size->IsBareSymbol()) continue;
    int symbol = size->terms()[0].monomial[0].first->id;
    if (!found_.contains(symbol)) continue;
    names[symbol] = Size::Symbol(symbol, name, 0);
    if (auto declared = frame.declared_bounds.find(name); declared != frame.declared_bounds.end())
      method_->found_bounds[symbol] = TighterBound(found_.at(symbol), declared->second);
  }
  for (Port& port : method_->outputs) {
    for (Size& size : port.shape) size = size.Substitute(names);
  }
}

// Results that name a size before it was found are compared with it now.
bool Elaborator::CheckFoundResults(const ast::Signature& signature,
                                   const std::vector<std::pair<std::string, Value>>& values) {
  bool ok = true;
  for (size_t i = 0; i < signature.results.size(); ++i) {
    const ast::Result& result = signature.results[i];
    const TensorPtr* tensor = values[i].second.As<TensorPtr>();
    if (tensor && result.type)
      ok = CheckDeclared(EvalType(*result.type), *tensor, result.name.text, result.span) && ok;
  }
  return ok;
}

}  // namespace weft::dsl::sema
