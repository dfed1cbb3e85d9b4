// Calls: bodies are opened where they are called; under indices as one parallel statement (R11).

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/builtins.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

// Of calls within calls, and models within models.
constexpr Count kMostCalls = 200;

bool IsScalarType(const ast::TypeExpr* type) {
  const auto* named = type ? type->As<ast::NamedType>() : nullptr;
  return named && named->sizes.empty() && named->path.parts.size() == 1;
}

// Whether a body does more than name scalars.
bool StoresTensors(const ast::Block& body) {
  for (ast::StmtPtr stmt : body.statements) {
    if (const auto* equation = stmt->As<ast::Equation>()) {
      for (const ast::Head& head : equation->heads) {
        if (head.has_binders || head.is_next) return true;
      }
    } else if (const auto* loop = stmt->As<ast::For>()) {
      if (StoresTensors(loop->body)) return true;
    } else if (stmt->As<ast::Rec>()) {
      return true;
    }
  }
  return false;
}

bool TakesScalars(const ast::Signature& signature) {
  return std::all_of(signature.params.data.begin(), signature.params.data.end(),
                     [](const ast::Param& param) { return IsScalarType(param.type); });
}

// Results must say that they are scalars, or be left out in a body that only names scalars.
bool GivesScalars(const ast::Signature& signature, const ast::Block& body) {
  bool declared =
      std::all_of(signature.results.begin(), signature.results.end(),
                  [](const ast::Result& result) { return !result.type || IsScalarType(result.type); });
  return declared && !StoresTensors(body);
}

}  // namespace

// Whether a call is made for every element of what it is given.
bool Elaborator::IsElementwise(const ast::Call& call) {
  if (!call.callee->Is<ast::Ref>()) return false;
  Value callee = Eval(*call.callee);
  const OpRef* op = callee.As<OpRef>();
  const Builtin* builtin = callee.As<Builtin>();
  return builtin ? IsElementwiseBuiltin(builtin->name) : op && TakesScalars(op->op->signature);
}

bool Elaborator::EnterCall(const void* declaration, const std::string& name, Span span) {
  auto open = std::find(calls_.begin(), calls_.end(), declaration);
  if (open != calls_.end()) {
    // A circle is one mistake, wherever it is entered: reported at its first call in the text.
    std::string subject = absl::StrCat("`", name, "`");
    Frame* frame = frame_;
    for (; frame && ++open != calls_.end(); frame = frame->caller) {
      bool is_earlier = frame->call.valid() &&
                        std::pair(frame->call.file, frame->call.begin) < std::pair(span.file, span.begin);
      if (is_earlier) span = frame->call, subject = frame->subject;
    }
    Report(span, kRecursion, subject);
    return false;
  }
  if (static_cast<Count>(calls_.size()) >= kMostCalls) {
    ReportLimit(span, kNestingTooDeep, kMostCalls);
    return false;
  }
  calls_.push_back(declaration);
  return true;
}

void Elaborator::LeaveCall(const void*) { calls_.pop_back(); }

bool Elaborator::EvalArguments(const ast::Call& node, bool has_weights, Arguments* out) {
  bool ok = true;
  auto one = [&](const ast::Call::Arg& arg) {
    if (!arg.pack.text.empty()) {
      auto pack = frame_->size_packs.find(arg.pack.text);
      if (pack == frame_->size_packs.end()) {
        Report(arg.span, kUnknownName, absl::StrCat("..", arg.pack.text));
        ok = false;
        return;
      }
      for (const Size& size : pack->second) out->data.push_back({size, arg.span});
      return;
    }
    bool may_be_absent = MayBeAbsent(*arg.value);
    Value value = EvalOptional(*arg.value, *arg.value);
    if (arg.name.text == "training") {
      if (const bool* truth = value.As<bool>()) {
        out->training = *truth;
      } else if (!value.IsPoison()) {
        Report(arg.span, kStage, "`training`", "`true` or `false`");
        ok = false;
      }
    } else if (!arg.name.text.empty()) {
      if (!out->named.try_emplace(arg.name.text, Argument{value, arg.span, may_be_absent}).second) {
        Report(arg.span, kDuplicateName, arg.name.text);
        ok = false;
      }
    } else {
      out->data.push_back({std::move(value), arg.span, may_be_absent});
    }
  };
  for (const ast::Call::Arg& arg : node.args) one(arg);
  for (const ast::Call::Arg& arg : node.attributes) {
    if (arg.name.text.empty() && arg.pack.text.empty()) {
      if (has_weights) {
        out->weights = Argument{Eval(*arg.value), arg.span};
        continue;
      }
      Report(arg.span, kArgumentCount, "what has no weights", "attributes by name after `;`",
             "a value without a name");
      ok = false;
    } else {
      one(arg);
    }
  }
  return ok;
}

Value Elaborator::EvalCall(const ast::Expr& expr, const ast::Call& node) {
  Value callee = Eval(*node.callee);
  // Facts belong to one element; what a call computes is computed for all of them.
  std::vector<Fact> facts;
  bool computes = callee.As<OpRef>() || callee.As<MethodRef>() || callee.As<ModelPtr>();
  if (const OpRef* op = callee.As<OpRef>()) {
    if (TakesScalars(op->op->signature) && GivesScalars(op->op->signature, op->op->body)) computes = false;
  }
  if (computes) std::swap(facts, facts_);
  bool wants_whole = std::exchange(wants_whole_, false);
  Arguments args;
  std::vector<IndexPtr> widened;
  if (computes) WidenIndices(node, &widened);
  bool ok = EvalArguments(node, callee.As<MethodRef>() || callee.As<ModelPtr>() || callee.IsPoison(), &args);
  captures_next_ = captured_call_ == &expr;
  Value result = Poison{};
  std::swap(widened, widened_);
  if (!callee.IsPoison() && ok) {
    if (const OpRef* op = callee.As<OpRef>()) {
      result = CallOp(*op, args, expr);
    } else if (const MethodRef* method = callee.As<MethodRef>()) {
      result = CallMethod(*method, args, expr);
    } else if (const ModelPtr* model = callee.As<ModelPtr>()) {
      bool found = false;
      Value forward = MemberValue(*model, "forward", expr.span, &found);
      if (const MethodRef* method = forward.As<MethodRef>()) {
        result = CallMethod(*method, args, expr);
      } else {
        Report(node.callee->span, kUnknownMember,
               absl::StrCat("the model `", (*model)->model->name.text, "`"), "forward");
      }
    } else if (const ModelRef* model = callee.As<ModelRef>()) {
      result = Instantiate(*model, args, expr.span);
    } else if (const Builtin* builtin = callee.As<Builtin>()) {
      result = CallBuiltin(builtin->name, args, expr.span);
    } else if (callee.IsAbsent()) {
      Report(node.callee->span, kAbsence, "this member may be absent; write `... else ...` behind the call");
    } else {
      Report(node.callee->span, kNotCallable, Describe(callee));
    }
  }
  if (computes) std::swap(facts, facts_);
  std::swap(widened, widened_);
  NarrowIndices(widened);
  wants_whole_ = wants_whole;
  return result;
}

// A call is made for a whole range of each index that its arguments mention. One whose range depends on
// another index or on data, or does not begin at 0, has one that goes through all it can ever be stand in for
// it.
void Elaborator::WidenIndices(const ast::Call& node, std::vector<IndexPtr>* widened) {
  auto is_mentioned = [&](const std::string& name) {
    auto mentions = [&](const ast::Call::Arg& arg) {
      return arg.value && ast::MentionsAny(*arg.value, {name});
    };
    return std::any_of(node.args.begin(), node.args.end(), mentions) ||
           std::any_of(node.attributes.begin(), node.attributes.end(), mentions);
  };
  std::vector<IndexPtr> in_force = in_force_;
  for (const IndexPtr& index : in_force) {
    Binding* binding = Find(index->name);
    if (!binding || binding->index != index || !index->upper || !index->lower) continue;
    bool is_plain = !index->upper_value && *index->lower == Size(0) && index->offset == Size(0);
    if (is_plain || !is_mentioned(index->name)) continue;
    std::optional<std::pair<Size, Size>> low = Hull(*index->lower, {}), high = Hull(*index->upper, {});
    if (!low || !high || !IsGlobal(low->first) || !IsGlobal(high->second)) continue;
    IndexPtr stand_in = NewIndex(index->name, index->span);
    stand_in->written = true;
    stand_in->stands_for = index;
    stand_in->offset = low->first;
    SetRange(*stand_in, low->first, Maximum(high->second, low->first));
    left_indices_written_.insert(stand_in->symbol);
    binding->index = stand_in;
    in_force_.insert(std::find(in_force_.begin(), in_force_.end(), index) + 1, stand_in);
    widened->push_back(stand_in);
  }
}

void Elaborator::NarrowIndices(const std::vector<IndexPtr>& widened) {
  for (const IndexPtr& stand_in : widened) {
    Find(stand_in->name)->index = stand_in->stands_for;
    std::erase(in_force_, stand_in);
  }
}

// A seed for what has no parameter of this name (R31).
std::optional<Elaborator::Argument> Elaborator::TakeSeed(const ast::Params& params, Arguments* args) {
  auto given = args->named.find("seed");
  auto is_seed = [](const ast::Param& param) { return param.name.text == "seed"; };
  if (given == args->named.end() || std::any_of(params.data.begin(), params.data.end(), is_seed) ||
      std::any_of(params.attributes.begin(), params.attributes.end(), is_seed))
    return std::nullopt;
  Argument seed = std::move(given->second);
  args->named.erase(given);
  return seed;
}

Value Elaborator::CallOp(const OpRef& ref, Arguments args, const ast::Expr& call) {
  const ast::Op& op = *ref.op;
  Span span = call.span;
  if (!EnterCall(&op, op.name.text, span)) return Poison{};
  Frame frame;
  frame.module = ref.module;
  frame.caller = frame_;
  frame.training = args.training.value_or(frame_->training);
  frame.subject = absl::StrCat("`", op.name.text, "`");
  frame.declaration = op.name.text;
  frame.declared = op.name.span;
  frame.call = span;
  frame.path = frame_->equation.empty() ? op.name.text : absl::StrCat(frame_->path, ".", frame_->equation);
  InheritSeed(call, TakeSeed(op.signature.params, &args), frame);
  Value result = op.is_extern ? CallExtern(ref, frame, args, span)
                              : CallDeclared(op.signature, op.body, frame, args, span);
  LeaveCall(&op);
  return result;
}

void Elaborator::EnterMethod(const ast::Model& model, const ast::Method& method, Frame& frame) {
  frame.declaration = absl::StrCat(model.name.text, ".", method.name.text);
  frame.declared = model.name.span;
  frame.is_method = true;
}

Value Elaborator::CallMethod(const MethodRef& ref, Arguments args, const ast::Expr& call) {
  const ast::Method& method = *ref.method;
  Span span = call.span;
  // One declaration may be applied inside itself for another instance, but never for the same one.
  if (!EnterCall(&ref.self->calls[&method], method.name.text, span)) return Poison{};
  Frame frame;
  frame.module = ref.self->module;
  frame.self = ref.self;
  frame.caller = frame_;
  frame.training = args.training.value_or(frame_->training);
  EnterMethod(*ref.self->model, method, frame);
  frame.subject = absl::StrCat("`", frame.declaration, "`");
  frame.call = span;
  std::string leaf = method.name.text == "forward" ? "" : method.name.text;
  frame.path = PathOf(ref.self.get(), leaf);
  if (frame.path.empty()) frame.path = method.name.text;
  InheritSeed(call, TakeSeed(method.signature.params, &args), frame);
  Value result = CallDeclared(method.signature, method.body, frame, args, span);
  LeaveCall(&method);
  return result;
}

// A call with records: once for each leaf, if that is what the op does anyway (R33).
Value Elaborator::CallByLeaf(const ast::Signature& signature, const ast::Block& body, const Frame& frame,
                             const Arguments& args, Span span) {
  bool lifts = TakesScalars(signature) && GivesScalars(signature, body);
  if (!lifts && !WorksByLeaf(signature, body)) {
    Report(span, kTypeMismatch, absl::StrCat(frame.subject, " takes tensors, not records"))
        .Note("use `total` or `flatten`, or map by leaf: `[f(p) for p in leaves(r)]`");
    return Poison{};
  }
  std::vector<Value> values;
  for (const Argument& argument : args.data) values.push_back(argument.value);
  std::vector<Value> results;  // of each leaf
  auto call = [&](const std::vector<Value>& leaves) {
    Frame own = frame;
    own.seed.counters.push_back(SizeScalar(Size(static_cast<int64_t>(results.size())), span));
    Arguments each = args;
    for (size_t i = 0; i < leaves.size(); ++i) each.data[i].value = leaves[i];
    results.push_back(CallDeclared(signature, body, own, each, span));
    return results.back();
  };
  Value all = ByLeaf(values, span, call, /*same_shapes=*/true);
  if (all.IsPoison() || signature.results.size() == 1) return all;
  // Each result is a record like the ones given.
  Value like = *std::find_if(values.begin(), values.end(), IsRecord);
  auto record = std::make_shared<Record>();
  for (size_t i = 0; i < signature.results.size(); ++i) {
    size_t number = 0;
    record->fields.emplace_back(signature.results[i].name.text,
                                ByLeaf({like}, span, [&](const std::vector<Value>&) {
                                  return Branches(results[number++])[i].second;
                                }));
  }
  return record;
}

Value Elaborator::CallDeclared(const ast::Signature& signature, const ast::Block& body, Frame& frame,
                               const Arguments& args, Span span) {
  if (signature.broken || !MatchArguments(signature.params, frame.subject, args, span, false))
    return Poison{};
  for (const Argument& argument : args.data) {
    if (argument.value.IsPoison()) return Poison{};  // its shape would bind dimensions
  }
  std::vector<Value> given;
  for (const Argument& argument : args.data) given.push_back(argument.value);
  bool takes_records = std::any_of(signature.params.data.begin(), signature.params.data.end(),
                                   [](const ast::Param& param) { return IsRecordType(param.type); });
  if (!takes_records && HoldsRecord(given)) return CallByLeaf(signature, body, frame, args, span);
  bool takes_scalars = TakesScalars(signature);
  bool is_inline = takes_scalars && GivesScalars(signature, body) && !signature.params.data.empty();
  auto has_axes = [](const Value& value) {
    const TensorPtr* tensor = value.As<TensorPtr>();
    return (tensor && !(*tensor)->shape.empty()) || value.As<std::shared_ptr<ListValue>>();
  };
  if (takes_scalars && !signature.params.data.empty() &&
      std::any_of(args.data.begin(), args.data.end(), [&](const Argument& a) { return has_axes(a.value); })) {
    if (signature.results.size() != 1 || !is_inline) {
      // Each result is lifted on its own from the same call.
      if (!is_inline) {
        Report(span, kRankMismatch, frame.subject, "scalar parameters",
               "a tensor is given; write the indices");
        return Poison{};
      }
    }
    std::vector<Value> values;
    for (const Argument& argument : args.data) values.push_back(argument.value);
    auto element = [&, frame_template = frame, args](size_t result) {
      Frame* caller = frame_;
      return [this, frame_template, args, result, &signature, &body, span,
              caller](const std::vector<Value>& v) -> Value {
        Frame own = frame_template;
        own.caller = caller;
        own.is_inline = true;
        own.seed.counters.insert(own.seed.counters.end(), lifted_at_.begin(), lifted_at_.end());
        Arguments scalars = args;
        for (size_t i = 0; i < v.size(); ++i) scalars.data[i].value = v[i];
        FrameScope in_caller(*this, *caller);
        StatefulPlace place(*this, "in a call for every element of a tensor", span);
        if (!BindParameters(signature.params, own, scalars, span, false)) return Poison{};
        FrameScope scope(*this, own);
        Value value = RunBody(signature, body, span);
        const auto* record = value.As<std::shared_ptr<Record>>();
        return record ? (*record)->fields[result].second : value;
      };
    };
    // The rule outlives this call, but not the frame of the equation that reads it: elements are asked for
    // there.
    auto lift = [&](size_t result) -> Value {
      Value lifted = Elementwise(values, span, element(result));
      const TensorPtr* tensor = lifted.As<TensorPtr>();
      if (!tensor || !FreeIndices(lifted).empty()) return lifted;
      return Value(Materialize(*tensor, signature.results[result].name.text, span));
    };
    if (signature.results.size() == 1) return lift(0);
    auto record = std::make_shared<Record>();
    for (size_t i = 0; i < signature.results.size(); ++i)
      record->fields.emplace_back(signature.results[i].name.text, lift(i));
    return record;
  }
  if (is_inline) {
    frame.is_inline = true;
    std::optional<StatefulPlace> place;
    bool is_repeated = frame.is_method && std::any_of(given.begin(), given.end(), [&](const Value& value) {
                         return !FreeIndicesInStep(value).empty();
                       });
    if (is_repeated) place.emplace(*this, "in a call under indices", span);
    if (!BindParameters(signature.params, frame, args, span, false)) return Poison{};
    FrameScope scope(*this, frame);
    return RunBody(signature, body, span);
  }

  std::set<IndexId> mentioned;
  for (const Argument& argument : args.data) mentioned.merge(FreeIndices(argument.value));
  for (const auto& [name, argument] : args.named) mentioned.merge(FreeIndices(argument.value));
  if (args.weights) mentioned.merge(FreeIndices(args.weights->value));
  std::vector<IndexPtr> indices;
  for (const IndexPtr& index : in_force_) {
    if (mentioned.contains(index->id)) indices.push_back(index);
  }
  auto call_under = [&](const std::vector<IndexPtr>& around, Frame& own) {
    return UnderIndices(around, span, [&]() -> Value {
      if (!BindParameters(signature.params, own, args, span, false)) return Poison{};
      FrameScope scope(*this, own);
      return RunBody(signature, body, span);
    });
  };
  // What reads `seed` is made for all indices in force. Whether it does is known when it has been worked out.
  std::vector<IndexPtr> around = IndicesAround();
  std::tuple key(&body, frame.self.get(), frame.training);
  if (indices.size() < around.size() && !seeded_.contains(key)) {
    Frame own = frame;
    Trial trial(*this);
    Value value = call_under(indices, own);
    if (!own.reads_seed) return value;
    seeded_.insert(key);
    trial.Forget();
  }
  return call_under(seeded_.contains(key) ? around : indices, frame);
}

// Runs `call` once, or as a parallel statement over the indices that its arguments mention.
Value Elaborator::UnderIndices(const std::vector<IndexPtr>& indices, Span span,
                               const std::function<Value()>& call) {
  std::vector<IndexPtr> in_force;
  std::vector<Fact> facts;
  std::vector<Deferred> deferred;
  Parallel parallel;
  for (const IndexPtr& index : indices) {
    if (!index->upper) {
      Report(index->span, kUnrangedIndex, index->name);
      return Poison{};
    }
    if (index->upper_value || (index->lower && !(*index->lower == index->offset))) {
      return Unsupported(span,
                         absl::StrCat("a call under `", index->name, "`, whose range is not 0 to a size,"));
    }
    parallel.domain.push_back({index->id, index->name, *index->upper - index->offset});
  }
  std::swap(in_force, in_force_);
  std::swap(facts, facts_);
  std::swap(deferred, deferred_);
  std::vector<Statement>* outside = statements_;
  std::optional<StatefulPlace> place;
  if (!indices.empty()) {
    statements_ = &parallel.body;
    place.emplace(*this, absl::StrCat("under the index `", indices[0]->name, "`"), span);
  }
  under_indices_ += !indices.empty();
  Value value = call();
  under_indices_ -= !indices.empty();
  place.reset();
  std::set<int> found = indices.empty() ? std::set<int>() : FoundIn(parallel.body);
  std::swap(found, found_inside_);
  if (!indices.empty()) value = Yielded(std::move(value), indices, &parallel, span);
  std::swap(found, found_inside_);
  statements_ = outside;
  std::swap(in_force, in_force_);
  std::swap(facts, facts_);
  std::swap(deferred, deferred_);
  bool is_ragged = std::any_of(parallel.yields.begin(), parallel.yields.end(),
                               [&](const auto& yield) { return IsRagged(yield.inner, found); });
  if (is_ragged) {
    const std::string& index = indices[0]->name;
    Report(span, kRaggedResult, index)
        .Suggest(absl::StrCat("one flat list has all of them, `", index, "s, at = filter(", index,
                              ", i) ...`; or an op pads its list, `y[j < 100] = found[j] else 0`"));
    return Poison{};
  }
  if (!found.empty() && !parallel.yields.empty() && !MaskSteps(found, &parallel)) {
    EmitOneByOne(span, std::move(parallel));
    return value;
  }
  if (!indices.empty() && !parallel.yields.empty()) Emit(span, frame_->equation, std::move(parallel));
  return value;
}

// A stored tensor with the elements of `tensor`, which may mention indices in force.
TensorPtr Elaborator::Stored(const TensorPtr& tensor, const std::string& name, Span span) {
  std::set<IndexId> mentioned = FreeIndices(tensor);
  std::vector<IndexPtr> indices;
  for (const IndexPtr& index : in_force_) {
    if (mentioned.contains(index->id)) indices.push_back(index);
  }
  Value stored = UnderIndices(indices, span, [&]() -> Value { return Materialize(tensor, name, span); });
  return stored.As<TensorPtr>() ? *stored.As<TensorPtr>() : tensor;
}

// What the outside sees of a value computed under indices: a row of the tensor that holds it for all of them.
Value Elaborator::Yielded(Value value, const std::vector<IndexPtr>& indices, Parallel* parallel, Span span) {
  if (const auto* record = value.As<std::shared_ptr<Record>>()) {
    auto result = std::make_shared<Record>();
    for (const auto& [name, field] : (*record)->fields) {
      result->fields.emplace_back(name, Yielded(field, indices, parallel, span));
    }
    return result;
  }
  if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    auto result = std::make_shared<ListValue>();
    for (const Value& element : (*list)->elements)
      result->elements.push_back(Yielded(element, indices, parallel, span));
    return result;
  }
  // How many were found is a value to the outside, which sees as many as there are points.
  const Size* size = value.As<Size>();
  bool is_found = size && std::any_of(found_inside_.begin(), found_inside_.end(),
                                      [&](int symbol) { return Mentions(*size, symbol); });
  if (is_found) value = SizeScalar(*size, span);
  bool is_scalar = value.As<Scalar>() != nullptr;
  if (!is_scalar && !value.As<TensorPtr>()) return value;
  std::optional<TensorPtr> tensor = AsTensor(value, span);
  if (!tensor) return Poison{};
  TensorPtr inner = Materialize(*tensor, "row", span);
  std::vector<Size> shape;
  for (const IndexPtr& index : indices) shape.push_back(*index->upper - index->offset);
  shape.insert(shape.end(), inner->shape.begin(), inner->shape.end());
  TensorId outer = NewTensor(method_->tensors[inner->id].name, inner->type, shape, span);
  parallel->yields.push_back({inner->id, outer});
  auto view = std::make_shared<TensorValue>();
  view->type = inner->type;
  view->shape = inner->shape;
  view->range = inner->range;
  view->id = outer;
  for (const IndexPtr& index : indices) {
    Slot slot;
    bool is_widened = std::find(widened_.begin(), widened_.end(), index) != widened_.end();
    Scalar at = IndexScalar(is_widened ? *index->stands_for : *index, span);
    if (!(index->offset == Size(0))) {
      Scalar offset = SizeScalar(index->offset, span);
      at = Call2(Function::kSub, at, offset, ElementType::kInt, span);
    }
    slot.fixed = Position{at, Outside::kInside};
    view->slots.push_back(slot);
  }
  for (size_t axis = 0; axis < inner->shape.size(); ++axis) {
    Slot slot;
    slot.axis = static_cast<int>(axis);
    view->slots.push_back(slot);
  }
  if (!is_scalar) return TensorPtr(view);
  return ElementAt(*view, {}, span);
}

}  // namespace weft::dsl::sema
