// The weights of a model as one value: `net.params`, its type, and calls with other weights (R4, R32, R33).

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : name.empty() ? path : absl::StrCat(path, ".", name);
}

}  // namespace

bool IsRecordType(const ast::TypeExpr* type) {
  const auto* named = type ? type->As<ast::NamedType>() : nullptr;
  return named && named->path.parts.size() > 1;
}

// What `leaf` makes of each weight of a model, or of a list of models, under the names of the members; what
// is absent is left out. `path` is where the models stand, as in weight files.
Value Elaborator::MapWeights(const Value& models, const std::string& path, const OfWeight& leaf) {
  auto below = [&](const Value& part) {
    const ModelPtr* model = part.As<ModelPtr>();
    return MapWeights(part, model ? Below(path, (*model)->segment) : path, leaf);
  };
  if (const auto* list = models.As<std::shared_ptr<ListValue>>()) {
    auto params = std::make_shared<ListValue>();
    for (const Value& element : (*list)->elements) {
      params->elements.push_back(below(element));
      if (params->elements.back().IsPoison()) return Poison{};
    }
    return params;
  }
  const ModelPtr* model = models.As<ModelPtr>();
  if (!model) return Poison{};
  auto params = std::make_shared<Record>();
  for (const ast::Member* member : (*model)->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    const auto* sub = member->As<ast::SubModel>();
    bool is_weight = stored && stored->kind == ast::StoredMember::Kind::kParam;
    if (!is_weight && !sub) continue;
    if (member->broken) return Poison{};
    Value part = Absent{};
    if (is_weight) {
      part = leaf(*model, *stored, Below(path, stored->weight_path.value_or(stored->name.text)));
    } else if (auto known = (*model)->members.find(sub->name.text); known != (*model)->members.end()) {
      part = known->second.IsAbsent() ? known->second : below(known->second);
    }
    if (part.IsPoison()) return Poison{};
    if (!part.IsAbsent()) params->fields.emplace_back(sub ? sub->name.text : stored->name.text, part);
  }
  return params;
}

Value Elaborator::ParamsOf(const Value& models, Span span) {
  return MapWeights(models, "",
                    [&](const ModelPtr& model, const ast::StoredMember& member, const std::string&) {
                      return ReadStored(model, member, span);
                    });
}

// A tensor of the type and shape of a weight, whose elements mean nothing.
Value Elaborator::LikeWeight(const ModelPtr& model, const ast::StoredMember& member) {
  Frame frame = FrameOf(model);
  FrameScope scope(*this, frame);
  std::optional<bool> there = IsThere(member);
  if (!there) return Poison{};
  if (!*there) return Absent{};
  DeclaredType type = EvalType(*member.type);
  if (!type.element || !type.shape) return Poison{};
  auto like = std::make_shared<TensorValue>();
  like->type = *type.element;
  like->range = type.range;
  for (const std::optional<Size>& size : *type.shape) {
    if (!size) return Poison{};
    like->shape.push_back(*size);
  }
  return TensorPtr(like);
}

// `net.params`, where a type stands.
Elaborator::DeclaredType Elaborator::RecordType(const ast::NamedType& type, Span span) {
  DeclaredType declared;
  declared.span = span;
  const std::vector<ast::Name>& parts = type.path.parts;
  auto fail = [&](const std::string& text) {
    declared.broken = true;
    Report(type.path.span, kTypeMismatch, text);
    return declared;
  };
  Value models = Lookup(parts[0].text, parts[0].span);
  for (size_t i = 1; i + 1 < parts.size() && !models.IsPoison(); ++i) {
    const ModelPtr* model = models.As<ModelPtr>();
    if (!model) return fail(absl::StrCat("`", parts[i - 1].text, "` is no model"));
    auto member = (*model)->members.find(parts[i].text);
    if (member == (*model)->members.end()) {
      declared.broken = true;
      Report(parts[i].span, kUnknownMember, absl::StrCat("the model `", (*model)->model->name.text, "`"),
             parts[i].text);
      return declared;
    }
    models = member->second;
  }
  if (models.IsPoison()) return declared;
  bool is_list = models.As<std::shared_ptr<ListValue>>() != nullptr;
  if (parts.back().text != "params" || !type.sizes.empty() || (!models.As<ModelPtr>() && !is_list))
    return fail("a type with a dot is that of the weights of a model, `net.params`");
  std::vector<std::string> paths;
  Value record = MapWeights(
      models, "", [&](const ModelPtr& model, const ast::StoredMember& member, const std::string& path) {
        Value like = LikeWeight(model, member);
        if (!like.IsAbsent()) paths.push_back(path);
        return like;
      });
  if (record.IsPoison()) return declared;
  declared.record = record;
  declared.paths = std::move(paths);
  return declared;
}

Elaborator::DeclaredType Elaborator::LeafType(const Value& like, Span span) {
  DeclaredType type;
  const TensorValue& tensor = **like.As<TensorPtr>();
  type.element = tensor.type;
  type.shape.emplace(tensor.shape.begin(), tensor.shape.end());
  type.range = tensor.range;
  type.span = span;
  return type;
}

// A value as a record of that type. A number is the value of all its elements.
Value Elaborator::AsRecord(const DeclaredType& declared, const Value& value, const std::string& name,
                           Span span) {
  bool is_number = value.IsNumber() && !value.As<std::string>();
  if (!is_number && !IsRecord(value)) {
    if (!value.IsPoison())
      Report(span, kTypeMismatch,
             absl::StrCat("`", name, "` is a record of the weights of a model, not ", Describe(value)))
          .Note(declared.span, "declared here");
    return Poison{};
  }
  return ByLeaf(
      {*declared.record, value}, span,
      [&](const std::vector<Value>& leaf) {
        return is_number ? Store(name, value, LeafType(leaf[0], declared.span), span)
                         : AsLeaf(leaf[0], leaf[1], name, span);
      },
      /*same_shapes=*/true);
}

// A tensor or scalar in the type of a weight, stored: where it is read it is not computed again.
Value Elaborator::AsLeaf(const Value& like, const Value& value, const std::string& name, Span span) {
  const TensorValue& wanted = **like.As<TensorPtr>();
  std::optional<TensorPtr> tensor = AsTensor(value, span);
  if (!tensor) return Poison{};
  TensorPtr leaf = *tensor;
  if (leaf->type != wanted.type) {
    if (Meet(leaf->type, wanted.type) != wanted.type) {
      Report(span, kTypeMismatch,
             absl::StrCat("an element of `", name, "` is ", Spelled(wanted.type), ", not ",
                          Spelled(leaf->type)));
      return Poison{};
    }
    Value cast = CastValue(wanted.type, leaf, span);
    if (!cast.As<TensorPtr>()) return Poison{};
    leaf = *cast.As<TensorPtr>();
  }
  for (size_t axis = 0; axis < wanted.shape.size(); ++axis) {
    std::string what = absl::StrCat("axis ", axis, " of a part of `", name, "`");
    if (!RequireEqual(leaf->shape[axis], wanted.shape[axis], span, what)) return Poison{};
  }
  if (leaf->id < 0) leaf = Stored(leaf, name, span);
  return leaf->shape.empty() ? Value(ElementAt(*leaf, {}, span)) : Value(leaf);
}

// The weights that a call gives, in the place of those of the model and of its parts.
bool Elaborator::BindWeights(const Argument& given, Frame& frame) {
  if (given.value.IsPoison()) return false;
  std::vector<StateKey> keys;
  DeclaredType declared;
  declared.span = frame.self->model->name.span;
  Value own = MapWeights(frame.self, "",
                         [&](const ModelPtr& model, const ast::StoredMember& member, const std::string&) {
                           Value like = LikeWeight(model, member);
                           if (!like.IsAbsent()) keys.push_back({model, member.name.text});
                           return like;
                         });
  if (own.IsPoison()) return generic_;  // only an instance knows them
  declared.record = own;
  if (!IsRecord(given.value)) {
    Report(given.span, kTypeMismatch,
           absl::StrCat("behind `;` without a name stand the weights of the model, not ",
                        Describe(given.value)));
    return false;
  }
  Value weights = AsRecord(declared, given.value, "weights", given.span);
  if (weights.IsPoison()) return false;
  auto bound = std::make_shared<std::map<StateKey, Value>>();
  std::vector<Value> leaves = Leaves(weights);
  for (size_t i = 0; i < keys.size(); ++i) bound->emplace(keys[i], leaves[i]);
  frame.weights = std::move(bound);
  return true;
}

// What the innermost call around that gives this weight gives for it.
const Value* Elaborator::GivenWeight(const StateKey& key) const {
  for (const Frame* frame = frame_; frame; frame = frame->caller) {
    if (!frame->weights) continue;
    auto given = frame->weights->find(key);
    if (given != frame->weights->end()) return &given->second;
  }
  return nullptr;
}

}  // namespace weft::dsl::sema
