// Ops in C (R39): what their signatures may say, and calls of them.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// Shapes and types are those that C sees: known element types, and results whose sizes follow from the
// inputs'.
bool Elaborator::CheckExtern(const ast::Op& op) {
  auto fail = [&](Span span, const char* text) {
    Report(span, kExternSignature, absl::StrCat("`", op.name.text, "`"), text);
    return false;
  };
  const ast::Params& params = op.signature.params;
  if (absl::StartsWith(op.name.text, "weft_") || absl::StartsWith(op.name.text, "halide_"))
    return fail(op.name.span, "functions with this beginning are those of programs");
  if (!params.attributes.empty()) return fail(params.attributes[0].span, "C gets tensors, and no attributes");
  auto check = [&](const ast::TypeExpr* type, Span span, bool is_result) {
    const auto* named = type ? type->As<ast::NamedType>() : nullptr;
    if (!named || named->path.parts.size() != 1)
      return fail(span, "what C gets and gives are tensors and numbers");
    if (named->path.parts[0].text == "float") return fail(type->span, "`float` is no type of C; write `f32`");
    for (const ast::SizeExpr& size : named->sizes) {
      if (size.kind == ast::SizeExpr::Kind::kPack) return fail(size.span, "the number of axes must be known");
      if (is_result && size.kind == ast::SizeExpr::Kind::kFound)
        return fail(size.span, "how large a result is must follow from the inputs");
      if (const auto* name = size.size ? size.size->As<ast::Ref>() : nullptr;
          is_result && name && name->name == "_")
        return fail(size.span, "how large a result is must follow from the inputs");
    }
    return true;
  };
  for (const ast::Param& param : params.data) {
    if (param.optional || param.default_value) return fail(param.span, "all inputs are given");
    if (!check(param.type, param.span, false)) return false;
  }
  for (const ast::Result& result : op.signature.results)
    if (!check(result.type, result.span, true)) return false;
  return true;
}

Value Elaborator::CallExtern(const OpRef& ref, Frame& frame, const Arguments& args, Span span) {
  const ast::Op& op = *ref.op;
  const ast::Signature& signature = op.signature;
  {
    Diagnostics reports = diagnostics_;  // they come with the declaration
    bool good = !signature.broken && CheckExtern(op);
    if (ref.module == frame_->module || good) diagnostics_ = std::move(reports);
    if (!good) return Poison{};
  }
  if (!MatchArguments(signature.params, frame.subject, args, span, false)) return Poison{};
  std::set<IndexId> mentioned;
  for (const Argument& argument : args.data) {
    if (argument.value.IsPoison()) return Poison{};
    mentioned.merge(FreeIndices(argument.value));
  }
  for (const auto& [name, argument] : args.named) mentioned.merge(FreeIndices(argument.value));
  for (const IndexPtr& index : in_force_) {
    if (!mentioned.contains(index->id)) continue;
    Report(span, kExternPlace, op.name.text, absl::StrCat("under the index `", index->name, "`"));
    return Poison{};
  }
  for (const auto& [where, place] : stateful_places_) {
    bool repeats = absl::StartsWith(where, "under") || absl::StartsWith(where, "in a call");
    if (!repeats) continue;
    Report(place, kExternPlace, op.name.text, where).Note(span, "called here");
    return Poison{};
  }
  if (!BindParameters(signature.params, frame, args, span, false)) return Poison{};
  FrameScope scope(*this, frame);
  if (!CheckConstraints(signature, span)) return Poison{};
  Extern call;
  call.name = op.name.text;
  for (const ast::Param& param : signature.params.data) {
    std::optional<TensorPtr> tensor = AsTensor(Lookup(param.name.text, span), span);
    if (!tensor) return Poison{};
    call.inputs.push_back(Materialize(*tensor, param.name.text, span)->id);
  }
  std::vector<std::pair<std::string, Value>> values;
  for (const ast::Result& result : signature.results) {
    DeclaredType type = EvalType(*result.type);
    if (type.broken || !type.element || !type.shape) return Poison{};
    std::vector<Size> shape;
    for (const std::optional<Size>& size : *type.shape) {
      if (!size) return Poison{};
      shape.push_back(*size);
    }
    TensorId id = NewTensor(result.name.text, *type.element, shape, result.name.span);
    call.results.push_back({id, type.range});
    values.emplace_back(result.name.text, StoredValue(id, type.range, span));
  }
  frame_ = frame.caller;  // its path is the equation's that calls
  Emit(span, op.name.text, std::move(call));
  frame_ = &frame;
  if (values.size() == 1) return values[0].second;
  auto record = std::make_shared<Record>();
  record->fields = std::move(values);
  return record;
}

}  // namespace weft::dsl::sema
