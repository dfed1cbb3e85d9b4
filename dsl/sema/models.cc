// Models: attributes, members, weight paths (R30, R32).

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"
#include "dsl/sema/suggestions.h"

namespace weft::dsl::sema {

Value Elaborator::Instantiate(const ModelRef& ref, const Arguments& args, Span span) {
  const ast::Model& model = *ref.model;
  if (model.params.broken) return Poison{};
  if (!Work(span, 20) || !EnterCall(&model, model.name.text, span)) return Poison{};
  auto instance = std::make_shared<ModelInstance>();
  instance->model = &model;
  instance->number = static_cast<int>(instances_.size()) + 1;
  instance->maker = frame_ ? frame_->self.get() : nullptr;
  instances_.push_back(instance);
  instance->module = ref.module;
  Frame frame;
  frame.module = ref.module;
  frame.caller = frame_;
  frame.subject = absl::StrCat("`", model.name.text, "`");
  frame.call = span;
  bool ok = BindParameters(model.params, frame, args, span, true);
  if (ok) {
    for (const auto& [name, binding] : frame.scopes[0]) instance->members[name] = binding.value;
    instance->given = frame.given;
    frame.self = instance;
    frame.scopes = {{}};
    FrameScope scope(*this, frame);
    EvaluateMembers(instance);
  }
  LeaveCall(&model);
  return ok ? Value(instance) : Value(Poison{});
}

// Lets and sub-models in the order of the text; params wait until they are read.
void Elaborator::EvaluateMembers(const ModelPtr& instance) {
  int sub_models = 0;
  for (const ast::Member* member : instance->model->members)
    sub_models += member->As<ast::SubModel>() != nullptr;
  std::map<std::string, Span> declared;
  for (const ast::Member* member : instance->model->members) {
    const ast::Name* name = nullptr;
    if (const auto* let = member->As<ast::Let>()) name = &let->name;
    if (const auto* sub = member->As<ast::SubModel>()) name = &sub->name;
    if (const auto* stored = member->As<ast::StoredMember>()) name = &stored->name;
    if (const auto* method = member->As<ast::Method>()) name = &method->name;
    if (name) {
      auto [place, is_new] = declared.try_emplace(name->text, name->span);
      if (!is_new || (!member->As<ast::Method>() && instance->members.contains(name->text))) {
        DiagnosticBuilder builder = Report(name->span, kDuplicateName, name->text);
        if (!is_new) builder.Note(place->second, "first declared here");
        for (const auto* params : {&instance->model->params.data, &instance->model->params.attributes}) {
          for (const ast::Param& param : *params) {
            if (is_new && param.name.text == name->text) builder.Note(param.name.span, "first declared here");
          }
        }
        continue;
      }
    }
    if (member->broken) {
      bool is_bound = member->As<ast::Let>() || member->As<ast::SubModel>();
      if (is_bound) instance->members[name->text] = Poison{};
    } else if (const auto* let = member->As<ast::Let>()) {
      instance->members[let->name.text] = AsLet(*let, Eval(*let->value));
    } else if (const auto* sub = member->As<ast::SubModel>()) {
      Value value = Eval(*sub->value);
      bool alone = instance->model->is_entry && sub_models == 1;  // its path is empty (R30)
      std::string segment = sub->weight_path ? *sub->weight_path : alone ? "" : sub->name.text;
      Adopt(value, instance.get(), segment);
      if (!value.IsPoison() && !value.IsAbsent() && !value.As<ModelPtr>() &&
          !value.As<std::shared_ptr<ListValue>>()) {
        Report(sub->value->span, kTypeMismatch,
               absl::StrCat("`", sub->name.text, "` is a model or a list of models, not ", Describe(value)));
        value = Poison{};
      }
      instance->members[sub->name.text] = value;
    }
  }
}

// Gives sub-models their place in weight files; elements of lists are numbered.
void Elaborator::Adopt(const Value& value, ModelInstance* parent, const std::string& segment) {
  if (const ModelPtr* model = value.As<ModelPtr>(); model && !(*model)->parent) {
    (*model)->parent = parent;
    (*model)->segment = segment;
  } else if (const auto* list = value.As<std::shared_ptr<ListValue>>()) {
    for (size_t i = 0; i < (*list)->elements.size(); ++i) {
      Adopt((*list)->elements[i], parent, segment.empty() ? absl::StrCat(i) : absl::StrCat(segment, ".", i));
    }
  }
}

std::string Elaborator::PathOf(const ModelInstance* instance, const std::string& leaf) {
  std::string path = leaf;
  const ModelInstance* root = instance;
  for (; instance; instance = instance->parent) {
    root = instance;
    if (instance->segment.empty()) continue;
    path = path.empty() ? instance->segment : absl::StrCat(instance->segment, ".", path);
  }
  if (root->model->is_entry) return path;
  // A test makes models where it likes.
  auto [place, is_new] = roots_.try_emplace(root->number, roots_.size());
  return place->second == 0 ? path : absl::StrCat(root->model->name.text, place->second, ".", path);
}

// Where the members of a model are evaluated.
Frame Elaborator::FrameOf(const ModelPtr& model) {
  Frame frame;
  frame.module = model->module;
  frame.self = model;
  frame.caller = frame_;
  frame.subject = absl::StrCat("`", model->model->name.text, "`");
  return frame;
}

// Whether a weight exists; nothing where that cannot be told. The model's frame is the current one.
std::optional<bool> Elaborator::IsThere(const ast::StoredMember& member) {
  if (!member.condition) return true;
  Value condition = Eval(*member.condition);
  std::optional<bool> there = AsCondition(condition);
  if (!there && !condition.IsPoison() && !IsOpenNumber(condition))
    Report(member.condition->span, kStage, "whether a param is there", "known when compiling");
  return there;
}

// What it is in the program: a record where its type is one.
Value Elaborator::WeightValue(const ModelPtr& self, const ast::StoredMember& member, Span span) {
  Frame frame = FrameOf(self);
  FrameScope scope(*this, frame);
  std::optional<bool> there = IsThere(member);
  if (!there) return Poison{};
  if (!*there) return Absent{};
  return WeightOf({self, &member, ""}, EvalType(*member.type), span);
}

// One tensor of it. The model's frame is the current one.
Value Elaborator::WeightOf(const StateMember& stored, const DeclaredType& type, Span span) {
  const ModelPtr& self = stored.model;
  const ast::StoredMember& member = *stored.member;
  if (!type.element || !type.shape) return Poison{};
  std::vector<Size> shape;
  for (const std::optional<Size>& size : *type.shape) {
    if (!size) return Poison{};
    shape.push_back(*size);
  }
  if (generic_) {
    TensorId id = NewTensor(member.name.text, *type.element, shape, member.name.span);
    return StoredValue(id, type.range, span);
  }
  auto [known, is_new] =
      self->weights.try_emplace(stored.key().name, static_cast<int>(program_.weights.size()));
  if (is_new) {
    Weight weight;
    std::string segment = member.weight_path.value_or(member.name.text);
    weight.path = PathOf(self.get(), stored.leaf.empty() ? segment : absl::StrCat(segment, ".", stored.leaf));
    weight.element = *type.element;
    weight.is_state = member.kind == ast::StoredMember::Kind::kState;
    weight.span = member.name.span;
    for (const Size& size : shape) {
      std::optional<int64_t> number = size.AsInteger();
      if (!number || *number < 0) {
        Report(member.type->span, kMemberShape, member.name.text, absl::StrCat("`", size.ToString(), "`"))
            .Suggest(kSuggestAttribute);
        self->weights.erase(known);
        return Poison{};
      }
      weight.shape.push_back(*number);
    }
    if (!KeepRange(member, type, &weight)) {
      self->weights.erase(known);
      return Poison{};
    }
    for (const Weight& other : program_.weights) {
      if (other.path == weight.path) {
        Report(member.name.span, kDuplicateName, weight.path)
            .Note(other.span, "another member has this path in weight files");
        self->weights.erase(known);
        return Poison{};
      }
    }
    program_.weights.push_back(std::move(weight));
    if (member.initial) uninitialized_.push_back({stored, known->second});
  }
  auto [tensor, first_here] = weight_tensors_.try_emplace(known->second, -1);
  if (first_here) {
    tensor->second = NewTensor(member.name.text, *type.element, shape, member.name.span);
    method_->tensors[tensor->second].origin = Tensor::Origin::kWeight;
    method_->tensors[tensor->second].source = known->second;
  }
  return StoredValue(tensor->second, type.range, span);
}

// What a file gives is checked to be in the range when it is read, so the range is made of numbers.
bool Elaborator::KeepRange(const ast::StoredMember& member, const DeclaredType& type, Weight* weight) {
  if (!type.range) return true;
  std::optional<int64_t> low = type.range->first.AsInteger(), high = type.range->second.AsInteger();
  if (!low || !high) {
    Report(member.type->span, kStage, absl::StrCat("the range of `", member.name.text, "`"),
           "made of numbers");
    return false;
  }
  weight->range = std::pair(*low, *high);
  return true;
}

Value Elaborator::StoredValue(TensorId id, const std::optional<std::pair<Size, Size>>& range, Span span) {
  auto value = std::make_shared<TensorValue>(*StoredTensor(id));
  value->range = range;
  return value->shape.empty() ? Value(ElementAt(*value, {}, span)) : Value(TensorPtr(value));
}

bool Elaborator::IsOptional(const std::string& name) {
  if (frame_->optionals.contains(name)) return true;
  if (Find(name) || !frame_->self) return false;
  for (const ast::Member* member : frame_->self->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    if (stored && stored->name.text == name) return stored->condition != nullptr;
  }
  return false;
}

}  // namespace weft::dsl::sema
