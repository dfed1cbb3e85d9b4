// What a name means where it stands: indices and locals, then members, then declarations and imports (R8).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/sema/builtins.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// About a hundred times what a large network takes. A step is a node of an expression; what costs more counts
// more, so that the limit is met within seconds.
constexpr int64_t kMostWork = 8'000'000;
constexpr int64_t kWorkOfIndex = 4;
constexpr int64_t kWorkOfProof = 16;

namespace {

// Numbers and lists of numbers: the same wherever they are used.
bool IsKnown(const Value& value) {
  const auto* list = value.As<std::shared_ptr<ListValue>>();
  if (!list) return value.IsNumber();
  return std::all_of((*list)->elements.begin(), (*list)->elements.end(), IsKnown);
}

}  // namespace

void Elaborator::ReportLimit(Span span, DiagnosticKind<Count> kind, Count limit) {
  for (const Diagnostic& report : diagnostics_.reports()) {
    if (report.kind == kind.id) return diagnostics_.CountRepeated();
  }
  Report(span, kind, limit);
}

bool Elaborator::Work(Span span, int64_t amount) {
  work_ += amount;
  if (work_ < kMostWork) return true;
  if (!work_reported_) ReportLimit(span, kTooMuchWork, kMostWork);
  work_reported_ = true;
  return false;
}

Binding* Elaborator::Find(const std::string& name) {
  for (auto scope = frame_->scopes.rbegin(); scope != frame_->scopes.rend(); ++scope) {
    auto found = scope->find(name);
    if (found != scope->end()) return &found->second;
  }
  return nullptr;
}

Value Elaborator::Lookup(const std::string& name, Span span) {
  if (Binding* binding = Find(name)) {
    if (binding->index) return IndexScalar(*binding->index, span);
    if (binding->is_pack) {
      Report(span, kInvalidExpression,
             absl::StrCat("`", name, "` stands for several indices; write `..", name, "`"));
      return Poison{};
    }
    return binding->value;
  }
  if (frame_->self) {
    bool found = false;
    Value member = MemberValue(frame_->self, name, span, &found);
    if (found) return member;
  }
  if (name == "training") return frame_->training;
  if (name == "seed") return SeedOfFrame(span);
  return DeclaredValue(*frame_->module, name, span);
}

Value Elaborator::DeclaredValue(const Module& module, const std::string& name, Span span) {
  auto imported = module.imports.find(name);
  if (imported != module.imports.end()) {
    if (!imported->second.first) return Poison{};  // the import failed and was reported
    return DeclaredValue(*imported->second.first, imported->second.second, span);
  }
  auto found = module.declarations.find(name);
  if (found != module.declarations.end()) {
    const ast::Decl& decl = *found->second;
    if (decl.broken) return Poison{};
    if (const auto* op = decl.As<ast::Op>()) return OpRef{op, &module};
    if (const auto* model = decl.As<ast::Model>()) return ModelRef{model, &module};
    if (const auto* let = decl.As<ast::Let>()) {
      if (auto known = lets_.find(let); known != lets_.end()) return known->second;
      if (!EnterCall(let, name, span)) return Poison{};
      Frame frame;
      frame.module = &module;
      frame.caller = frame_;
      frame.subject = absl::StrCat("`", name, "`");
      FrameScope scope(*this, frame);
      Value value = AsLet(*let, Eval(*let->value));
      LeaveCall(let);
      if (IsKnown(value)) lets_.emplace(let, value);
      return value;
    }
  }
  if (name == "inf") return std::numeric_limits<double>::infinity();
  if (name == "pi") return 3.14159265358979323846;
  if (IsBuiltin(name)) return Builtin{name};
  if (module.file->uncertain.contains(name)) return Poison{};
  // A name that is misspelt where it is bound is unknown wherever it is used.
  if (!unknown_names_.insert({calls_.empty() ? nullptr : calls_.back(), name}).second) {
    diagnostics_.CountRepeated();
    return Poison{};
  }
  if (frame_->until_indices.contains(name)) {
    Report(span, kUntilIndex, name)
        .Suggest(absl::StrCat("ask for all or any of them: `all(", name, ") ...`, `any(", name, ") ...`"));
  } else if (frame_->sentence.name == name) {
    Report(span, kMissingRec, name)
        .Suggest(absl::StrCat("steps that need earlier ones are a recurrence: `rec ", name, "[t] = ... from ",
                              name, "[-1] = ...`"));
  } else {
    Report(span, kUnknownName, name).SuggestNearest(name, VisibleNames());
  }
  return Poison{};
}

Value Elaborator::MemberValue(const ModelPtr& self, const std::string& name, Span span, bool* found) {
  *found = true;
  auto member = self->members.find(name);
  if (member != self->members.end()) {
    const Size* size = member->second.As<Size>();
    if (!initial_ || generic_ || !size || size->AsInteger()) return member->second;
    Report(span, kStage, absl::StrCat("`", name, "` in an initial value"), "known before there are inputs");
    return Poison{};
  }
  for (const ast::Member* declared : self->model->members) {
    if (const auto* stored = declared->As<ast::StoredMember>(); stored && stored->name.text == name) {
      if (declared->broken) return Poison{};
      return ReadStored(self, *stored, span);
    }
    if (const auto* method = declared->As<ast::Method>(); method && method->name.text == name) {
      return MethodRef{self, method};
    }
  }
  *found = false;
  return Poison{};
}

std::vector<std::string> Elaborator::VisibleNames() {
  std::vector<std::string> names = BuiltinNames();
  for (const auto& scope : frame_->scopes) {
    for (const auto& [name, binding] : scope) names.push_back(name);
  }
  if (frame_->self) {
    for (const ast::Member* member : frame_->self->model->members) {
      if (const auto* s = member->As<ast::StoredMember>()) names.push_back(s->name.text);
      if (const auto* m = member->As<ast::Method>()) names.push_back(m->name.text);
    }
    for (const auto& [name, value] : frame_->self->members) names.push_back(name);
  }
  for (const auto& [name, decl] : frame_->module->declarations) names.push_back(name);
  for (const auto& [name, source] : frame_->module->imports) names.push_back(name);
  return names;
}

void Elaborator::Bind(const std::string& name, Value value, Span span) {
  // A rebinding in a `for` body is seen by later lines outside it as well.
  for (auto scope = frame_->scopes.rbegin(); scope != frame_->scopes.rend(); ++scope) {
    auto found = scope->find(name);
    if (found != scope->end() && !found->second.index) {
      found->second.value = std::move(value);
      found->second.span = span;
      return;
    }
  }
  Binding binding;
  binding.value = std::move(value);
  binding.span = span;
  frame_->scopes.back()[name] = std::move(binding);
}

// Whatever a statement binds is unknown from here on.
void Elaborator::BindUnknown(const ast::Stmt& stmt) {
  auto poison = [&](const std::string& name, Span span) { Bind(name, Poison{}, span); };
  auto heads = [&](const std::vector<ast::Head>& heads) {
    for (const ast::Head& head : heads) {
      if (!head.is_next) poison(head.path.parts[0].text, head.span);
    }
  };
  if (const auto* let = stmt.As<ast::Let>()) {
    poison(let->name.text, let->name.span);
  } else if (const auto* equation = stmt.As<ast::Equation>()) {
    heads(equation->heads);
  } else if (const auto* loop = stmt.As<ast::For>()) {
    for (ast::StmtPtr inner : loop->body.statements) BindUnknown(*inner);
  } else if (const auto* rec = stmt.As<ast::Rec>()) {
    if (const auto* single = std::get_if<ast::Rec::Single>(&rec->form)) {
      heads({single->head});
      const ast::Binder& index = single->head.binders[0];
      const auto* length = index.at_most ? index.limit->As<ast::Ref>() : nullptr;
      if (length) poison(length->name, index.limit->span);
    } else {
      const auto& body = std::get<ast::Rec::Loop>(rec->form);
      for (ast::StmtPtr inner : body.body.statements) BindUnknown(*inner);
      const auto* length = body.at_most && body.length ? body.length->As<ast::Ref>() : nullptr;
      if (length != nullptr) poison(length->name, body.length->span);
    }
  }
}

IndexPtr Elaborator::NewIndex(const std::string& name, Span span) {
  work_ += kWorkOfIndex;
  auto index = std::make_shared<Index>();
  index->id = next_index_++;
  index->name = name;
  index->symbol = next_symbol_++;
  index->span = span;
  index_of_[index->id] = index;
  return index;
}

Size Elaborator::SymbolOf(const Index& index) const {
  return Size::Symbol(index.symbol, index.name) + index.offset;
}

void Elaborator::SetRange(Index& index, const Size& lower, const Size& upper) {
  index.lower = lower;
  index.upper = upper;
  ranges_[index.symbol] = {lower - index.offset, upper - index.offset};
}

// An index must not hide anything (R8).
bool Elaborator::CheckFresh(const std::string& name, Span span) {
  if (Binding* binding = Find(name)) {
    Report(span, kNameInUse, name).Note(binding->span, absl::StrCat("`", name, "` is bound here"));
    return false;
  }
  bool taken = frame_->module->imports.contains(name) || frame_->module->declarations.contains(name);
  if (frame_->self) {
    const ast::Model& model = *frame_->self->model;
    for (const ast::Member* declared : model.members) {
      if (const auto* s = declared->As<ast::StoredMember>()) taken |= s->name.text == name;
      if (const auto* m = declared->As<ast::SubModel>()) taken |= m->name.text == name;
      if (const auto* m = declared->As<ast::Method>()) taken |= m->name.text == name;
      if (const auto* l = declared->As<ast::Let>()) taken |= l->name.text == name;
    }
    for (const ast::Param& param : model.params.data) taken |= param.name.text == name;
    for (const ast::Param& param : model.params.attributes) taken |= param.name.text == name;
  }
  if (taken) Report(span, kNameInUse, name);
  return !taken;
}

void Elaborator::AddCallNotes(DiagnosticBuilder& builder, Span at) {
  int shown = 0;
  for (Frame* frame = frame_; frame && shown < 8; frame = frame->caller) {
    const Span& call = frame->call;
    bool is_shown = call.file == at.file && call.begin <= at.begin && at.end <= call.end;  // in the excerpt
    if (!call.valid() || is_shown) continue;
    builder.Trail(frame->call, absl::StrCat(frame->subject, " is called here"));
    ++shown;
  }
}

Value Elaborator::Unsupported(Span span, const std::string& what) {
  Report(span, kUnsupportedFeature, what);
  return Poison{};
}

std::optional<std::pair<Size, Size>> Elaborator::Hull(const Size& form, const std::set<int>& keep) {
  Size bounds[2] = {form, form};
  for (bool least : {true, false}) {
    Size& bound = bounds[least ? 0 : 1];
    while (true) {
      // What was introduced last first: its range may name what came before.
      auto range = std::find_if(ranges_.rbegin(), ranges_.rend(), [&](const auto& entry) {
        return !keep.contains(entry.first) && !found_.contains(entry.first) && Mentions(bound, entry.first);
      });
      if (range == ranges_.rend()) break;
      std::optional<Linear> linear = SplitLinear(bound, range->first);
      if (!linear) return std::nullopt;
      Prover prover = MakeProver({linear->coefficient}, {});
      bool rises = prover.IsNatural(linear->coefficient);
      if (!rises && !prover.IsNatural(Size(0) - linear->coefficient)) return std::nullopt;
      const auto& [lower, upper] = range->second;
      if (Mentions(lower, range->first) || Mentions(upper, range->first)) return std::nullopt;
      bound = linear->coefficient * (rises == least ? lower : upper - Size(1)) + linear->rest;
    }
  }
  return std::pair(bounds[0], bounds[1]);
}

// A prover that knows the ranges of the symbols in the forms and of those their bounds name.
Prover Elaborator::MakeProver(const std::vector<Size>& forms, const std::vector<Fact>& facts) {
  work_ += kWorkOfProof;
  std::set<int> symbols;
  std::function<void(const Size&)> collect = [&](const Size& size) {
    for (const Size::Term& term : size.terms()) {
      for (const auto& [atom, power] : term.monomial) {
        if (atom->kind != SizeAtom::Kind::kSymbol) {
          for (const Size& operand : atom->operands) collect(operand);
        } else if (auto range = ranges_.find(atom->id);
                   range != ranges_.end() && symbols.insert(atom->id).second) {
          collect(range->second.first);
          collect(range->second.second);
        }
      }
    }
  };
  for (const Size& form : forms) collect(form);
  for (const Fact& fact : facts) collect(fact.form);
  Prover prover;
  for (int symbol : symbols) prover.AddIndex(symbol, ranges_[symbol].first, ranges_[symbol].second);
  for (const Fact& fact : facts) prover.AddFact(fact);
  return prover;
}

// Whether an instance may know more of a size than a declaration on its own: it names a dimension or an
// attribute, itself or in the range of an index or of a value.
bool Elaborator::IsOpen(const Size& size) {
  if (!generic_) return false;
  std::set<int> seen;
  std::function<bool(const Size&)> open = [&](const Size& form) {
    for (const Size::Term& term : form.terms()) {
      for (const auto& [atom, power] : term.monomial) {
        if (std::any_of(atom->operands.begin(), atom->operands.end(), open)) return true;
        if (atom->kind != SizeAtom::Kind::kSymbol || !seen.insert(atom->id).second) continue;
        if (atom->lo) return true;
        auto range = ranges_.find(atom->id);
        if (range != ranges_.end() && (open(range->second.first) || open(range->second.second))) return true;
      }
    }
    return false;
  };
  return open(size);
}

Elaborator::Comparison Elaborator::Compare(const Size& a, const Size& b, bool must_be_proved) {
  if (a == b) return Comparison::kEqual;
  Prover prover = MakeProver({a, b}, facts_);
  if (prover.AtMost(a, b) && prover.AtMost(b, a)) return Comparison::kEqual;
  bool refuted = (must_be_proved && !generic_) || (a - b).AsRational() ||
                 (a.IsBareSymbol() && b.IsBareSymbol()) || prover.IsPositive(a - b) ||
                 prover.IsPositive(b - a);
  return refuted ? Comparison::kDifferent : Comparison::kOpen;
}

bool Elaborator::RequireEqual(const Size& a, const Size& b, Span span, const std::string& what, Span other,
                              bool must_be_proved) {
  Comparison comparison = Compare(a, b, must_be_proved);
  if (comparison == Comparison::kDifferent) {
    DiagnosticBuilder builder = Report(span, kSizeMismatch, what, a.ToString(), b.ToString());
    if (other.valid()) builder.Note(other, absl::StrCat(b.ToString(), " comes from here"));
    return false;
  }
  if (comparison == Comparison::kOpen && !generic_ && statements_) {
    std::string message = absl::StrCat(what, ": ", a.ToString(), " and ", b.ToString(),
                                       " are different, {0} and {1}", Because(span));
    Emit(span, "", Check{Check::Relation::kEqual, a, b, std::move(message), {a, b}});
  }
  return true;
}

}  // namespace weft::dsl::sema
