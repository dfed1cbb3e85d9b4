// What params and states begin with, where no file says it (R32): a number everywhere, or an expression of
// numbers, weights and states further up, which becomes a method of its own.

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

// Another one for each path (FNV-1a).
int64_t SeedOf(const std::string& path) {
  uint64_t hash = 14695981039346656037U;
  for (char letter : path) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  return static_cast<int64_t>(hash >> 2);
}

}  // namespace

// Of every member of the model that declares one, for its own errors.
void Elaborator::CheckInitialValues(const ModelPtr& self) {
  for (const ast::Member* member : self->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    if (stored && stored->initial && !member->broken) RunInitialValue({{self, stored, ""}, -1});
  }
}

// Members that were met while methods were worked out, and those that are met here.
void Elaborator::RunInitialValues() {
  for (size_t i = 0; i < uninitialized_.size() && !has_errors(); ++i) {
    Uninitialized target = uninitialized_[i];
    RunInitialValue(target);
  }
  SortInitialValues();
}

void Elaborator::RunInitialValue(const Uninitialized& target) {
  const ModelPtr& model = target.member.model;
  const ast::StoredMember* member = target.member.member;
  Method method;
  BeginMethod(method);
  ranges_.clear();
  found_.clear();
  calls_.clear();
  Frame frame;
  frame.module = model->module;
  frame.self = model;
  frame.path = PathOf(model.get(), "");
  frame.declaration = model->model->name.text;
  frame.declared = model->model->name.span;
  frame.is_method = true;
  frame.subject = absl::StrCat("`", member->name.text, "`");
  frame.seed.source = Frame::Seed::Source::kSet;
  frame.seed.from = Size(SeedOf(target.weight < 0 ? "" : program_.weights[target.weight].path));
  FrameScope scope(*this, frame);
  StatefulPlace place(*this, "while an initial value is computed", member->name.span);
  initial_ = target.member;
  DefineInitialValue(target);
  initial_ = std::nullopt;
  method_ = nullptr;
  statements_ = nullptr;
  if (method.next.empty()) return;
  method.name = absl::StrCat("initial.", program_.weights[target.weight].path);
  program_.initial_values.push_back(std::move(method));
}

void Elaborator::DefineInitialValue(const Uninitialized& target) {
  const ast::StoredMember& member = *target.member.member;
  if (!member.has_binders) {
    Trial trial(*this);
    Value value = Eval(*member.initial);
    trial.Forget();
    if (value.IsNumber() && !value.As<std::string>() && FillWith(target, value)) return;
  }
  ast::Equation equation;
  equation.value = member.initial;
  ast::Head head;
  head.path.parts = {member.name};
  head.path.span = head.span = member.name.span;
  head.binders = member.binders;
  head.has_binders = member.has_binders;
  head.type = member.type;
  equation.heads = {head};
  ast::Stmt stmt;
  stmt.span = member.name.span;
  stmt.node = equation;
  Value value = EquationResults(stmt, std::get<ast::Equation>(stmt.node))[0];
  if (!target.member.leaf.empty() && IsRecord(value)) {
    std::vector<std::string> paths = TypeOfState({target.member.model, &member, ""}).paths;
    auto place = std::find(paths.begin(), paths.end(), target.member.leaf);
    value = Leaves(value)[static_cast<size_t>(place - paths.begin())];
  }
  if (value.IsAbsent()) {
    Report(member.initial->span, kAbsence,
           absl::StrCat("what `", member.name.text, "` begins with is absent"));
    return;
  }
  if (target.weight < 0) return;
  std::optional<TensorPtr> tensor = value.IsPoison() ? std::nullopt : AsTensor(value, member.initial->span);
  if (!tensor) return;
  std::vector<Size> shape;
  for (int64_t extent : program_.weights[target.weight].shape) shape.emplace_back(extent);
  TensorPtr shaped = InShape(shape, *tensor, member.initial->span);
  method_->next.push_back({target.weight, Materialize(shaped, member.name.text, member.initial->span)->id});
}

// A number for every element; false if it is none that a weight can be filled with.
bool Elaborator::FillWith(const Uninitialized& target, const Value& value) {
  std::optional<double> fill;
  if (const Size* size = value.As<Size>(); size && size->AsInteger())
    fill = static_cast<double>(*size->AsInteger());
  if (const double* real = value.As<double>()) fill = *real;
  if (const bool* truth = value.As<bool>()) fill = *truth;
  if (!fill || target.weight < 0) return false;
  const ast::StoredMember& member = *target.member.member;
  Weight& weight = program_.weights[target.weight];
  weight.fill = fill;
  if (!weight.range) return true;
  auto [low, high] = *weight.range;
  if (*fill >= static_cast<double>(low) && *fill < static_cast<double>(high)) return true;
  Report(member.initial->span, kIntRange, absl::StrCat("`", sources_.Text(member.initial->span), "`"),
         absl::StrCat("`", member.name.text, "`"), absl::StrCat(low, "..", high));
  return true;
}

// Each behind those that it reads. They go in no circle: an initial value reads what stands further up.
void Elaborator::SortInitialValues() {
  std::map<int, size_t> position;  // by weight
  std::vector<Method>& methods = program_.initial_values;
  for (size_t i = 0; i < methods.size(); ++i) position[methods[i].next[0].weight] = i;
  std::vector<Method> sorted;
  std::vector<bool> is_done(methods.size());
  std::function<void(size_t)> add = [&](size_t i) {
    if (is_done[i]) return;
    is_done[i] = true;
    for (const Tensor& tensor : methods[i].tensors) {
      auto read = tensor.origin == Tensor::Origin::kWeight ? position.find(tensor.source) : position.end();
      if (read != position.end()) add(read->second);
    }
    sorted.push_back(std::move(methods[i]));
  };
  for (size_t i = 0; i < methods.size(); ++i) add(i);
  methods = std::move(sorted);
}

// False, and an error, where an initial value reads its own state or one below it. What a param begins with
// is computed of params alone, which may not wait for a state that waits for it.
bool Elaborator::IsAboveInitial(const StateMember& read, Span span) {
  if (!initial_ || read.model != initial_->model) return true;
  using Kind = ast::StoredMember::Kind;
  const ast::StoredMember &member = *read.member, &own = *initial_->member;
  bool is_param = member.kind == Kind::kParam;
  bool is_above = member.name.span.begin < own.name.span.begin;
  if (own.kind == Kind::kState ? is_param || is_above : is_param && is_above) return true;
  Report(span, kInvalidExpression,
         absl::StrCat("an initial value is computed of what stands further up; `", member.name.text,
                      "` has none yet"))
      .Note(own.name.span, "whose initial value this is");
  return false;
}

}  // namespace weft::dsl::sema
