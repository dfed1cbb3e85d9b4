#include "dsl/sema/sema.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl {

namespace sema {

namespace {

// A value of a declared type about which nothing is known, for checking a declaration on its own.
Value Generic(const ast::TypeExpr& type, int symbol, const std::string& name) {
  const auto* named = type.As<ast::NamedType>();
  if (!named || named->path.parts.size() != 1) return Poison{};
  if (named->path.parts[0].text == "int") return Size::Symbol(symbol, name, 1);
  return Poison{};
}

// The methods of a model, of those with one name the first: that a name stands twice is told elsewhere.
std::vector<std::pair<const ast::Method*, std::string>> MethodsOf(const ast::Model& model) {
  std::vector<std::pair<const ast::Method*, std::string>> methods;
  std::set<std::string> names;
  for (const ast::Member* member : model.members) {
    const auto* method = member->As<ast::Method>();
    if (method && names.insert(method->name.text).second) methods.emplace_back(method, member->doc);
  }
  return methods;
}

}  // namespace

// False if an attribute is declared as a tensor, which is reported.
bool Elaborator::IsNumberType(const ast::TypeExpr& type) {
  if (const auto* list = type.As<ast::ListType>()) return IsNumberType(*list->element);
  if (type.As<ast::NamedType>()->sizes.empty()) return true;
  Report(type.span, kTypeMismatch, "an attribute is a number or a list of numbers, `[float]`, not a tensor");
  return false;
}

// Symbols for the dimensions that stand alone in a type.
void Elaborator::BindGenericDimensions(const ast::TypeExpr& type, Frame& frame) {
  auto bind = [&](const ast::Expr* size) {
    const auto* name = size ? size->As<ast::Ref>() : nullptr;
    if (!name || name->name == "_" || !std::isupper(static_cast<unsigned char>(name->name[0]))) return;
    if (Find(name->name) || (frame.self && frame.self->members.contains(name->name))) return;
    Binding binding;
    binding.value = Size::Symbol(next_symbol_++, name->name, 1);
    binding.span = size->span;
    frame.scopes[0][name->name] = std::move(binding);
  };
  if (const auto* list = type.As<ast::ListType>()) {
    bind(list->count);
    BindGenericDimensions(*list->element, frame);
    return;
  }
  for (const ast::SizeExpr& size : type.As<ast::NamedType>()->sizes) {
    bind(size.size);
    if (size.kind != ast::SizeExpr::Kind::kPack) continue;
    std::vector<Size> axes;
    for (const char* suffix : {"0", "1"})
      axes.push_back(Size::Symbol(next_symbol_++, absl::StrCat(size.name.text, suffix), 1));
    frame.size_packs.try_emplace(size.name.text, axes);
  }
}

// Parameters of a declaration on its own: symbols for dimensions, stored tensors of these shapes.
bool Elaborator::BindGenericParameters(const ast::Params& params, Frame& frame, bool numbers_only) {
  FrameScope scope(*this, frame);
  auto bind = [&](const ast::Param& param, Value value) {
    Binding binding;
    binding.value = std::move(value);
    binding.span = param.name.span;
    binding.never_absent = !numbers_only && !param.optional && param.type->As<ast::NamedType>();
    frame.scopes[0][param.name.text] = std::move(binding);
  };
  std::vector<const ast::Param*> numbers;
  for (const ast::Param& param : params.attributes) numbers.push_back(&param);
  if (numbers_only) {
    for (const ast::Param& param : params.data) numbers.push_back(&param);
  }
  // Numbers that are no sizes have their defaults, once the dimensions that these may name are bound.
  std::vector<const ast::Param*> defaults;
  for (const ast::Param* param : numbers) {
    if (!IsNumberType(*param->type)) {
      bind(*param, Poison{});
      continue;
    }
    const auto* type = param->type->As<ast::NamedType>();
    bool is_int = type && type->path.ToString() == "int";
    if (param->default_value && !is_int) defaults.push_back(param);
    bind(*param, Generic(*param->type, next_symbol_++, param->name.text));
  }
  auto bind_defaults = [&] {
    for (const ast::Param* param : defaults) {
      Value value = Eval(*param->default_value);
      if (!BindAttribute(*param, value, param->default_value->span, frame)) bind(*param, Poison{});
    }
    for (const ast::Param* param : numbers) {
      if (param->type->As<ast::NamedType>()) EvalType(*param->type);  // says what is wrong with it
    }
    return true;
  };
  if (numbers_only) return bind_defaults();
  // Dimensions that stand alone first: expressions may name those of later parameters.
  for (const ast::Param& param : params.data) BindGenericDimensions(*param.type, frame);
  for (const ast::Param& param : params.data) {
    if (param.optional) frame.optionals.insert(param.name.text);
    if (!param.type->As<ast::NamedType>() || param.type->As<ast::NamedType>()->path.ToString() == "op") {
      bind(param, Poison{});
      continue;
    }
    DeclaredType declared = EvalType(*param.type);
    if (declared.record) {
      bind(param, ByLeaf({*declared.record}, param.span, [&](const std::vector<Value>& like) {
             const TensorValue& leaf = **like[0].As<TensorPtr>();
             TensorId id = NewTensor(param.name.text, leaf.type, leaf.shape, param.span);
             return StoredValue(id, leaf.range, param.span);
           }));
      continue;
    }
    std::vector<Size> shape;
    bool known = declared.element && declared.shape;
    for (size_t i = 0; known && i < declared.shape->size(); ++i) {
      shape.push_back((*declared.shape)[i] ? *(*declared.shape)[i] : Size::Symbol(next_symbol_++, "_", 1));
    }
    if (!known) {
      bind(param, Poison{});
      continue;
    }
    auto tensor = std::make_shared<TensorValue>(
        *StoredTensor(NewTensor(param.name.text, *declared.element, shape, param.span)));
    tensor->range = declared.range;
    bind(param, shape.empty() ? Value(ElementAt(*tensor, {}, param.span)) : Value(TensorPtr(tensor)));
  }
  return bind_defaults();
}

void Elaborator::BeginMethod(Method& method) {
  method_ = &method;
  statements_ = &method.body;
  weight_tensors_.clear();
  known_reads_.clear();
  states_.clear();
  state_changes_.clear();
}

void Elaborator::CheckBody(const ast::Signature& signature, const ast::Block& body, Frame& frame) {
  Method method;
  BeginMethod(method);
  int before = diagnostics_.errors_found();
  if (BindGenericParameters(signature.params, frame, false) && diagnostics_.errors_found() == before) {
    FrameScope scope(*this, frame);
    RunBody(signature, body, Span());
    if (diagnostics_.errors_found() == before) sound_.insert(&body);
  }
  program_.methods.push_back(std::move(method));
  method_ = nullptr;
  statements_ = nullptr;
}

void Elaborator::CheckDeclaration(const ast::Decl& decl, const Module& module) {
  Frame root;
  root.module = &module;
  frame_ = &root;
  if (decl.broken) return;
  if (const auto* op = decl.As<ast::Op>(); op && op->is_extern && !op->signature.broken) CheckExtern(*op);
  if (const auto* op = decl.As<ast::Op>(); op && !op->is_extern && !op->signature.broken) {
    Frame frame;
    frame.module = &module;
    frame.path = op->name.text;
    frame.declaration = op->name.text;
    frame.declared = op->name.span;
    calls_ = {op};
    CheckBody(op->signature, op->body, frame);
  }
  if (const auto* model = decl.As<ast::Model>(); model && !model->params.broken) {
    auto instance = std::make_shared<ModelInstance>();
    instance->model = model;
    instance->module = &module;
    Frame frame;
    frame.module = &module;
    Method method;
    method_ = &method;
    BindGenericParameters(model->params, frame, true);
    for (const auto& [name, binding] : frame.scopes[0]) instance->members[name] = binding.value;
    frame.self = instance;
    frame.scopes = {{}};
    calls_ = {model};
    if (model->is_entry) {
      for (const ast::Member* member : model->members) {
        const auto* limits = member->As<ast::Limits>();
        if (!limits) continue;
        for (const auto& dimension : limits->dimensions) {
          instance->members[dimension.name.text] =
              member->broken ? Value(Poison{}) : Size::Symbol(next_symbol_++, dimension.name.text, 1);
        }
      }
    }
    {
      FrameScope scope(*this, frame);
      EvaluateMembers(instance);
    }
    CheckInitialValues(instance);
    calls_.clear();
    for (const auto& [declared, doc] : MethodsOf(*model)) {
      if (declared->signature.broken) continue;
      Frame body;
      body.module = &module;
      body.self = instance;
      body.path = declared->name.text;
      EnterMethod(*model, *declared, body);
      calls_ = {&instance->calls[declared]};
      CheckBody(declared->signature, declared->body, body);
    }
  }
  calls_.clear();
  frame_ = nullptr;
}

void Elaborator::RunExpect(const ast::Stmt& stmt, const ast::Expect& node) {
  BeginSentence("expect", node.value);
  if (!expectations_) {
    Report(stmt.span, kInvalidExpression, "`expect` stands in tests");
    return;
  }
  Expectation expectation;
  expectation.span = stmt.span;
  expectation.kind = Expectation::Kind::kClose;
  const ast::Expr* left = node.value;
  const ast::Expr* right = node.approximately;
  if (!right) {
    const auto* equal = node.value->As<ast::Binary>();
    if (equal && equal->op == ast::BinaryOp::kEq) {
      left = equal->lhs;
      right = equal->rhs;
    }
  } else {
    expectation.tolerance = 1e-5;
  }
  if (node.within) {
    Value within = Eval(*node.within);
    if (const double* real = within.As<double>()) {
      expectation.tolerance = *real;
    } else if (const Size* size = within.As<Size>(); size && size->AsInteger()) {
      expectation.tolerance = static_cast<double>(*size->AsInteger());
    } else if (!within.IsPoison()) {
      Report(node.within->span, kStage, "a tolerance", "a number");
    }
  }
  Value a = Eval(*left), b = right ? Eval(*right) : Value(true);
  RunDeferred();
  if (a.IsPoison() || b.IsPoison()) return;
  std::optional<TensorPtr> x = AsTensor(a, left->span);
  if (!x) return;
  if (!right) {
    expectation.kind = Expectation::Kind::kHolds;
    if ((*x)->type != ElementType::kBool) {
      Report(left->span, kTypeMismatch, "`expect` needs a condition, or `~=`");
      return;
    }
    expectation.left = AddOutput(absl::StrCat("holds", expectations_->size()), *x, stmt.span);
    expectations_->push_back(expectation);
    return;
  }
  std::optional<TensorPtr> y = AsTensor(b, right->span, (*x)->type);
  if (!y) return;
  std::optional<std::vector<Size>> shape = CommonShape({*x, *y}, stmt.span);
  if (!shape) return;
  // A scalar is compared with every element.
  auto spread = [&](const TensorPtr& tensor) -> TensorPtr {
    if (tensor->shape.size() == shape->size()) return tensor;
    auto wide = std::make_shared<TensorValue>();
    wide->type = tensor->type;
    wide->shape = *shape;
    wide->rule = [this, tensor, span = stmt.span](const std::vector<Scalar>& at) {
      return ElementAt(*tensor, {at.end() - tensor->shape.size(), at.end()}, span);
    };
    return wide;
  };
  expectation.left = AddOutput(absl::StrCat("left", expectations_->size()), spread(*x), stmt.span);
  expectation.right = AddOutput(absl::StrCat("right", expectations_->size()), spread(*y), stmt.span);
  expectations_->push_back(expectation);
}

void Elaborator::ElaborateTest(const ast::Test& test, const Module& module,
                               std::vector<Expectation>* expectations) {
  Method method;
  method.name = "forward";
  method_ = &method;
  statements_ = &method.body;
  expectations_ = expectations;
  Frame frame;
  frame.module = &module;
  frame.path = "test";
  frame_ = &frame;
  RunBlock(test.body);
  program_.methods.push_back(std::move(method));
  frame_ = nullptr;
}

// Whether an earlier declaration has this one's name, which was reported: what it means says nothing more.
static bool IsShadowed(const ast::Decl& decl, const Module& module) {
  const ast::Name* name = ast::NameOf(decl);
  if (!name) return false;
  auto first = module.declarations.find(name->text);
  return first != module.declarations.end() && first->second != &decl;
}

}  // namespace sema

Program CheckModule(const sema::Module& module, const SourceManager& sources, Diagnostics& diagnostics) {
  Program declared;
  std::set<const ast::Block*> sound;
  for (const ast::Decl* decl : module.file->decls) {
    if (sema::IsShadowed(*decl, module)) continue;
    sema::Elaborator elaborator(sources, diagnostics, declared, /*generic=*/true);
    elaborator.sound().swap(sound);
    elaborator.CheckDeclaration(*decl, module);
    elaborator.sound().swap(sound);
  }
  return declared;
}

std::vector<const ast::Model*> Entries(const sema::Module& module) {
  std::vector<const ast::Model*> entries;
  for (const ast::Decl* decl : module.file->decls) {
    const auto* model = decl->As<ast::Model>();
    if (model && model->is_entry && !decl->broken && !sema::IsShadowed(*decl, module))
      entries.push_back(model);
  }
  return entries;
}

std::vector<const ast::Test*> Tests(const sema::Module& module) {
  std::vector<const ast::Test*> tests;
  for (const ast::Decl* decl : module.file->decls) {
    if (const auto* test = decl->As<ast::Test>(); test && !decl->broken) tests.push_back(test);
  }
  return tests;
}

namespace {

// More code than this is no help: compiling takes as much longer.
constexpr size_t kMostVariants = 16;

using Sizes = std::map<std::string, int64_t>;

// The program for all sizes that are not fixed.
std::optional<Program> ElaborateOnce(const sema::Module& module, const ast::Model& entry, const Sizes& fixed,
                                     const SourceManager& sources, Diagnostics& diagnostics) {
  Program program;
  program.file = module.name;
  program.entry = entry.name.text;
  program.fixed = fixed;
  int before = diagnostics.errors_found();
  sema::Elaborator elaborator(sources, diagnostics, program, /*generic=*/false);
  sema::ModelPtr instance = elaborator.InstantiateEntry(entry, module, fixed);
  for (const auto& [method, doc] : sema::MethodsOf(entry)) {
    elaborator.ElaborateMethod(instance, *method);
    if (!program.methods.empty()) program.methods.back().doc = doc;
  }
  elaborator.RunInitialValues();
  if (program.methods.empty() && !diagnostics.has_errors()) {
    diagnostics.Report(entry.name.span, kNoEntry,
                       absl::StrCat("the entry `", entry.name.text, "` has no method"));
  }
  if (diagnostics.errors_found() > before) return std::nullopt;
  return program;
}

std::string InWords(const Sizes& sizes) {
  return absl::StrJoin(sizes, ", ", [](std::string* text, const std::pair<const std::string, int64_t>& size) {
    absl::StrAppend(text, size.first, " = ", size.second);
  });
}

// Every combination of the hot sizes, none of them larger than kMostVariants.
std::vector<Sizes> HotSizes(const Program& program, Diagnostics& diagnostics) {
  std::vector<Sizes> all{{}};
  for (const Dimension& dimension : program.dimensions) {
    if (dimension.hot.empty()) continue;
    if (all.size() * dimension.hot.size() > kMostVariants) {
      diagnostics.Report(dimension.hot_span, kHotSize,
                         absl::StrCat("there are ", all.size() * dimension.hot.size(),
                                      " combinations of hot sizes, and each ", "gets code of its own; ",
                                      kMostVariants, " are the most"));
      return {};
    }
    std::vector<Sizes> longer;
    for (const Sizes& sizes : all) {
      for (int64_t hot : dimension.hot) {
        longer.push_back(sizes);
        longer.back()[dimension.name] = hot;
      }
    }
    all = std::move(longer);
  }
  if (all[0].empty()) all.clear();
  return all;
}

void AddVariants(Program& program, const sema::Module& module, const ast::Model& entry, const Sizes& fixed,
                 const SourceManager& sources, Diagnostics& diagnostics) {
  for (const Sizes& sizes : HotSizes(program, diagnostics)) {
    Sizes numbers = fixed;
    numbers.insert(sizes.begin(), sizes.end());
    Diagnostics found;
    std::optional<Program> variant = ElaborateOnce(module, entry, numbers, sources, found);
    if (variant) {
      variant->sizes = sizes;
      program.variants.push_back(std::move(*variant));
      continue;
    }
    Span span;
    for (const Dimension& dimension : program.dimensions)
      if (!dimension.hot.empty()) span = dimension.hot_span;
    Diagnostic cause = found.Sorted().front();
    diagnostics
        .Report(span, kHotSize, absl::StrCat("the entry does not work with the hot size ", InWords(sizes)))
        .Note(cause.span, cause.message);
  }
}

}  // namespace

std::optional<Program> Elaborate(const sema::Module& module, const ast::Model& entry, const Sizes& fixed,
                                 const SourceManager& sources, Diagnostics& diagnostics) {
  std::optional<Program> program = ElaborateOnce(module, entry, fixed, sources, diagnostics);
  if (!program) return std::nullopt;
  int before = diagnostics.errors_found();
  AddVariants(*program, module, entry, fixed, sources, diagnostics);
  return diagnostics.errors_found() > before ? std::nullopt : std::move(program);
}

std::optional<TestProgram> ElaborateTest(const sema::Module& module, const ast::Test& test,
                                         const SourceManager& sources, Diagnostics& diagnostics) {
  TestProgram result;
  result.program.file = module.name;
  result.program.entry = "test";
  int before = diagnostics.errors_found();
  sema::Elaborator elaborator(sources, diagnostics, result.program, /*generic=*/false);
  elaborator.ElaborateTest(test, module, &result.expectations);
  elaborator.RunInitialValues();
  if (diagnostics.errors_found() > before) return std::nullopt;
  return result;
}

}  // namespace weft::dsl
