// Declared types: element words, shapes with dimensions, ranges of ints (R21).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"
#include "dsl/sema/suggestions.h"

namespace weft::dsl::sema {

std::optional<ElementType> Elaborator::ElementOf(const ast::Path& path) {
  if (path.parts.size() != 1) return std::nullopt;
  const std::string& word = path.parts[0].text;
  if (word == "float") return FloatType();
  if (word == "int") return ElementType::kInt;
  if (word == "bool") return ElementType::kBool;
  if (word == "f32") return ElementType::kF32;
  if (word == "f16") return ElementType::kF16;
  if (word == "bf16") return ElementType::kBf16;
  if (word == "f64") return ElementType::kF64;
  if (word == "i8") return ElementType::kI8;
  if (word == "u8") return ElementType::kU8;
  if (word == "i32") return ElementType::kI32;
  if (word == "i64") return ElementType::kI64;
  return std::nullopt;
}

std::optional<std::pair<Size, Size>> Elaborator::EvalRange(const ast::Expr& range) {
  Value value = Eval(range);
  if (const RangeValue* bounds = value.As<RangeValue>()) return std::pair(bounds->from, bounds->to);
  if (!value.IsPoison()) Report(range.span, kTypeMismatch, "after `in` stands a range, `lo..hi`");
  return std::nullopt;
}

namespace {

// The weight or state of this model in whose type that stands, or null.
const ast::StoredMember* StoredAround(const ModelPtr& model, Span size) {
  if (!model) return nullptr;
  for (const ast::Member* member : model->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    const Span* type = stored && stored->type ? &stored->type->span : nullptr;
    if (type && type->file == size.file && type->begin <= size.begin && size.end <= type->end) return stored;
  }
  return nullptr;
}

}  // namespace

// Whether something says what the dimensions in a size are.
bool Elaborator::CheckDimensions(const ast::Expr& size) {
  bool ok = true;
  if (const auto* ref = size.As<ast::Ref>()) {
    const std::string& name = ref->name;
    bool is_dimension = !name.empty() && std::isupper(static_cast<unsigned char>(name[0]));
    bool is_known = Find(name) || (frame_->self && frame_->self->members.contains(name)) ||
                    frame_->module->declarations.contains(name) || frame_->module->imports.contains(name);
    if (is_dimension && !is_known) {
      ok = false;
      if (unknown_names_.insert({calls_.empty() ? nullptr : calls_.back(), name}).second) {
        if (const ast::StoredMember* member = StoredAround(frame_->self, size.span)) {
          Report(size.span, kMemberShape, member->name.text, absl::StrCat("`", name, "`"))
              .Suggest(kSuggestAttribute);
        } else {
          Report(size.span, kUnboundDimension, name);
        }
      } else {
        diagnostics_.CountRepeated();
      }
    }
  }
  ast::ForEachChild(size, [&](const ast::Expr& child) { ok = CheckDimensions(child) && ok; });
  return ok;
}

Elaborator::DeclaredType Elaborator::EvalType(const ast::TypeExpr& type) {
  DeclaredType declared;
  declared.span = type.span;
  const auto* named = type.As<ast::NamedType>();
  if (!named) return declared;
  declared.element = ElementOf(named->path);
  if (!declared.element) {
    const std::string& word = named->path.parts[0].text;
    if (named->path.parts.size() == 1 && word != "op" && word != "string") {
      declared.broken = true;
      Report(named->path.span, kUnknownName, named->path.ToString())
          .SuggestNearest(word,
                          {"float", "int", "bool", "f32", "f16", "bf16", "f64", "i8", "u8", "i32", "i64"});
    } else if (named->path.parts.size() > 1) {
      return RecordType(*named, type.span);
    }
    return declared;
  }
  if (std::count_if(named->sizes.begin(), named->sizes.end(),
                    [](const ast::SizeExpr& size) { return size.kind == ast::SizeExpr::Kind::kPack; }) > 1) {
    Report(type.span, kInvalidExpression, "a shape has at most one `..`");
    return declared;
  }
  declared.shape.emplace();
  for (const ast::SizeExpr& size : named->sizes) {
    if (size.kind == ast::SizeExpr::Kind::kFound) {
      declared.found[declared.shape->size()] = &size;
      declared.shape->push_back(std::nullopt);
      continue;
    }
    if (size.kind == ast::SizeExpr::Kind::kPack) {
      auto pack = frame_->size_packs.find(size.name.text);
      if (pack == frame_->size_packs.end()) {
        Report(size.span, kUnboundDimension, absl::StrCat("..", size.name.text));
        declared.shape = std::nullopt;
        return declared;
      }
      for (const Size& extent : pack->second) declared.shape->push_back(extent);
      continue;
    }
    if (const auto* name = size.size->As<ast::Ref>()) {
      Binding* bound = frame_->found_names.contains(name->name) ? Find(name->name) : nullptr;
      if (name->name == "_" || (bound && bound->value.IsPoison())) {  // or not found yet
        declared.shape->push_back(std::nullopt);
        continue;
      }
    }
    if (!CheckDimensions(*size.size)) {
      declared.shape->push_back(std::nullopt);
      declared.broken = true;
      continue;
    }
    Value value = Eval(*size.size);
    if (value.IsPoison()) {
      declared.shape->push_back(std::nullopt);
      declared.broken = true;
      continue;
    }
    declared.shape->push_back(AsSize(value, size.span, "what stands in a shape"));
    declared.broken |= !declared.shape->back();
  }
  if (named->range && declared.element != ElementType::kInt) {
    Report(named->range->span, kTypeMismatch,
           absl::StrCat("only `int` has a range, and this is ", named->path.ToString()));
  } else if (named->range) {
    declared.range = EvalRange(*named->range);
  }
  return declared;
}

const ast::TypeExpr* Elaborator::DeclaredTypeOf(const ast::Head& head) {
  if (head.type) return head.type;
  if (head.is_next || head.path.parts.size() != 1) return nullptr;
  auto result = frame_->results.find(head.path.parts[0].text);
  return result == frame_->results.end() ? nullptr : result->second;
}

// Whether a tensor is what its declaration says; sizes are compared, types only where they do not meet.
bool Elaborator::CheckDeclared(const DeclaredType& declared, const TensorPtr& tensor, const std::string& name,
                               Span span) {
  if (!declared.shape) return true;
  if (declared.shape->size() != tensor->shape.size()) {
    Report(span, kRankMismatch, absl::StrCat("`", name, "`"),
           absl::StrCat(tensor->shape.size(), tensor->shape.size() == 1 ? " axis " : " axes ",
                        ShapeText(tensor->shape)),
           absl::StrCat("its declaration ", declared.shape->size()))
        .Note(declared.span, "declared here");
    return false;
  }
  bool fits = true;
  for (size_t axis = 0; axis < tensor->shape.size(); ++axis) {
    if (auto found = declared.found.find(axis); found != declared.found.end()) {
      std::string what = absl::StrCat("axis ", axis, " of `", name, "`");
      fits = BindFound(*found->second, tensor->shape[axis], what, span) && fits;
    }
    if (!(*declared.shape)[axis]) continue;
    fits = RequireEqual(tensor->shape[axis], *(*declared.shape)[axis], span,
                        absl::StrCat("axis ", axis, " of `", name, "` and its declaration"), declared.span) &&
           fits;
  }
  return fits;
}

// Proves that an int lies in a declared range (R21).
bool Elaborator::RequireRange(const Value& value, const std::pair<Size, Size>& range, Span span,
                              const std::string& what, Span declared) {
  std::optional<Size> low, high;
  if (const TensorPtr* tensor = value.As<TensorPtr>()) {
    if ((*tensor)->range) low = (*tensor)->range->first, high = (*tensor)->range->second - Size(1);
  } else if (const Scalar* scalar = value.As<Scalar>()) {
    if (scalar->form) low = high = *scalar->form;
  }
  if (low) {
    Prover prover = MakeProver({*low, *high, range.first, range.second}, facts_);
    if (prover.AtMost(range.first, *low) && prover.IsPositive(range.second - *high)) return true;
    bool refuted = prover.IsPositive(range.first - *high) || prover.IsNatural(*low - range.second);
    bool open = IsOpen(*low) || IsOpen(*high) || IsOpen(range.first) || IsOpen(range.second);
    if (open && !refuted) return true;
  }
  DiagnosticBuilder builder = Report(span, kIntRange, absl::StrCat("`", sources_.Text(span), "`"), what,
                                     absl::StrCat(range.first.ToString(), "..", range.second.ToString()));
  if (declared.valid()) builder.Note(declared, "declared here");
  builder.Suggest("keep it inside with `clip(...)`, or declare where it comes from: `int[...] in lo..hi`");
  return false;
}

}  // namespace weft::dsl::sema
