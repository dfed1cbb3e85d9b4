// Expressions: what each form of the grammar stands for.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

// Bounds the recursion through all calls that are open, so that no program can exhaust the stack.
Value Elaborator::Eval(const ast::Expr& expr) {
  constexpr Count kMostNesting = 1200;
  if (!Work(expr.span)) return Poison{};
  if (nesting_ >= kMostNesting) {
    Report(expr.span, kNestingTooDeep, kMostNesting);
    return Poison{};
  }
  ++nesting_;
  Value value = EvalNode(expr);
  --nesting_;
  return value;
}

Value Elaborator::EvalNode(const ast::Expr& expr) {
  return std::visit(
      Overloaded{
          [&](const ast::Invalid&) -> Value { return Poison{}; },
          [&](const ast::Number& node) -> Value {
            return node.is_real ? Value(node.real) : Value(Size(node.whole));
          },
          [&](const ast::String& node) -> Value { return node.text; },
          [&](const ast::Bool& node) -> Value { return node.value; },
          [&](const ast::None&) -> Value { return Absent{}; },
          [&](const ast::Ref& node) -> Value { return EvalRef(expr, node); },
          [&](const ast::Group&) -> Value {
            Report(expr.span, kInvalidExpression,
                   "a group of indices stands in a subscript or on the left of an equation");
            return Poison{};
          },
          [&](const ast::List& node) -> Value { return EvalList(expr, node); },
          [&](const ast::Repeat& node) -> Value { return EvalRepeat(expr, node); },
          [&](const ast::Comprehension& node) -> Value { return EvalComprehension(expr, node); },
          [&](const ast::Reduction& node) -> Value { return EvalReduction(expr, node, nullptr); },
          [&](const ast::Subscript& node) -> Value { return EvalSubscript(expr, node, nullptr); },
          [&](const ast::Call& node) -> Value { return EvalCall(expr, node); },
          [&](const ast::Field& node) -> Value { return EvalField(expr, node); },
          [&](const ast::Unary& node) -> Value { return EvalUnary(expr, node); },
          [&](const ast::Binary& node) -> Value { return EvalBinary(expr, node); },
          [&](const ast::Range& node) -> Value {
            std::optional<Size> from = AsSize(Eval(*node.from), node.from->span, "the start of a range");
            std::optional<Size> to = AsSize(Eval(*node.to), node.to->span, "the end of a range");
            if (!from || !to) return Poison{};
            return RangeValue{*from, *to};
          },
          [&](const ast::Conditional& node) -> Value { return EvalConditional(expr, node); },
          [&](const ast::Else& node) -> Value { return EvalElse(expr, node); },
      },
      expr.node);
}

Value Elaborator::EvalRef(const ast::Expr& expr, const ast::Ref& node) {
  if (MayBeAbsent(expr) && optional_ != &expr) {
    Report(
        expr.span, kAbsence,
        absl::StrCat("`", node.name,
                     "` may be absent; use it under `else` or `if`, or give it to what takes an optional"));
    return Poison{};
  }
  return Lookup(node.name, expr.span);
}

// Whether it is a name that may stand for something absent, and no `if` around it says otherwise (R15).
bool Elaborator::MayBeAbsent(const ast::Expr& expr) {
  const auto* ref = expr.As<ast::Ref>();
  return ref && numeric_conditions_ == 0 && IsOptional(ref->name);
}

bool Elaborator::IsNeverAbsent(const ast::Expr& expr) {
  if (const auto* ref = expr.As<ast::Ref>()) {
    Binding* binding = Find(ref->name);
    return binding && (binding->never_absent || binding->index);
  }
  const auto* call = expr.As<ast::Call>();
  const auto* callee = call ? call->callee->As<ast::Ref>() : nullptr;
  if (!callee || Find(callee->name)) return false;
  Value value = Eval(*call->callee);
  return value.As<OpRef>() || value.As<Builtin>() || value.As<ModelRef>();
}

// `expr`, where the name `optional` in it may be absent.
Value Elaborator::EvalOptional(const ast::Expr& expr, const ast::Expr& optional) {
  const ast::Expr* outer = std::exchange(optional_, &optional);
  Value value = Eval(expr);
  optional_ = outer;
  return value;
}

Value Elaborator::EvalField(const ast::Expr& expr, const ast::Field& node) {
  // In a test the locals of a call are fields (R38).
  std::map<std::string, Value> locals;
  bool is_call = expectations_ && !frame_->caller && in_force_.empty() && node.base->As<ast::Call>();
  if (is_call) captured_call_ = node.base, captured_ = &locals;
  Value base = Eval(*node.base);
  captured_call_ = nullptr;
  captured_ = nullptr;
  if (base.IsPoison()) return Poison{};
  const std::string& name = node.name.text;
  if (auto local = locals.find(name); local != locals.end()) return local->second;
  if (const ModelPtr* model = base.As<ModelPtr>()) {
    if (name == "params") return ParamsOf(*model, expr.span);
    bool found = false;
    Value member = MemberValue(*model, name, node.name.span, &found);
    if (found) return member;
    if ((*model)->module->file->uncertain.contains(name)) return Poison{};
    std::vector<std::string> names;
    for (const ast::Member* declared : (*model)->model->members) {
      if (const auto* s = declared->As<ast::StoredMember>()) names.push_back(s->name.text);
      if (const auto* s = declared->As<ast::SubModel>()) names.push_back(s->name.text);
      if (const auto* s = declared->As<ast::Method>()) names.push_back(s->name.text);
    }
    Report(node.name.span, kUnknownMember, absl::StrCat("the model `", (*model)->model->name.text, "`"), name)
        .SuggestNearest(name, names);
    return Poison{};
  }
  if (const auto* record = base.As<std::shared_ptr<Record>>()) {
    std::vector<std::string> names;
    for (const auto& [field, value] : (*record)->fields) {
      if (field == name) return value;
      names.push_back(field);
    }
    Report(node.name.span, kUnknownMember, "the record", name).SuggestNearest(name, names);
    return Poison{};
  }
  if (const auto* list = base.As<std::shared_ptr<ListValue>>(); list && name == "params") {
    bool is_of_models = std::all_of((*list)->elements.begin(), (*list)->elements.end(),
                                    [](const Value& element) { return element.As<ModelPtr>(); });
    if (is_of_models) return ParamsOf(base, expr.span);
  }
  Report(node.name.span, kUnknownMember, Describe(base), name);
  return Poison{};
}

Value Elaborator::EvalUnary(const ast::Expr& expr, const ast::Unary& node) {
  Value operand = Eval(*node.operand);
  if (operand.IsPoison()) return Poison{};
  if (node.op == ast::UnaryOp::kNot) {
    if (const bool* truth = operand.As<bool>()) return !*truth;
    return Elementwise({operand}, expr.span, [&, span = expr.span](const std::vector<Value>& v) -> Value {
      std::optional<Scalar> x = ToScalar(v[0], std::nullopt, span);
      if (!x) return Poison{};
      if (x->type != ElementType::kBool) {
        Report(span, kTypeMismatch, "`not` needs a condition");
        return Poison{};
      }
      Scalar result = Call1(Function::kNot, *x, span);
      result.if_true = x->if_false;
      result.if_false = x->if_true;
      return result;
    });
  }
  if (const Size* size = operand.As<Size>()) return Size(0) - *size;
  if (const double* real = operand.As<double>()) return -*real;
  if (const RealSize* real = operand.As<RealSize>()) return RealSize{-real->real, real->size, -real->offset};
  return Elementwise({operand}, expr.span, [this, span = expr.span](const std::vector<Value>& v) -> Value {
    std::optional<Scalar> x = ToScalar(v[0], std::nullopt, span);
    if (!x) return Poison{};
    if (x->type == ElementType::kBool) {
      Report(span, kTypeMismatch, "`-` needs a number; a condition becomes one by `1 if ... else 0`");
      return Poison{};
    }
    Scalar result = Call1(Function::kNeg, *x, span);
    if (x->form) result.form = Size(0) - *x->form;
    return result;
  });
}

// In arithmetic a group of indices stands for its number (R10).
Value Elaborator::EvalOperand(const ast::Expr& expr) {
  const auto* group = expr.As<ast::Group>();
  if (!group) return Eval(expr);
  std::optional<Scalar> number = GroupPosition(*group, nullptr, expr.span);
  return number ? Value(*number) : Value(Poison{});
}

// `a in lo..hi` with an end that is computed: two comparisons. Nothing for other ranges.
std::optional<Value> Elaborator::EvalBetween(const Value& a, const ast::Expr& expr, const ast::Binary& node) {
  const auto* range = node.op == ast::BinaryOp::kIn ? node.rhs->As<ast::Range>() : nullptr;
  if (!range) return std::nullopt;
  Value from = EvalOperand(*range->from), to = EvalOperand(*range->to);
  if (a.IsPoison() || from.IsPoison() || to.IsPoison()) return Poison{};
  if (!from.As<Scalar>() && !to.As<Scalar>()) return std::nullopt;
  return Elementwise(
      {a, from, to}, expr.span, [this, span = expr.span](const std::vector<Value>& v) -> Value {
        return ScalarBinary(ast::BinaryOp::kAnd, ScalarBinary(ast::BinaryOp::kGe, v[0], v[1], span),
                            ScalarBinary(ast::BinaryOp::kLt, v[0], v[2], span), span);
      });
}

Value Elaborator::EvalBinary(const ast::Expr& expr, const ast::Binary& node) {
  Value a = EvalOperand(*node.lhs);
  // What a false left side of `and` decides when compiling is not looked at further (R26).
  if (const bool* x = a.As<bool>()) {
    if (node.op == ast::BinaryOp::kAnd && !*x) return false;
    if (node.op == ast::BinaryOp::kOr && *x) return true;
  }
  if (std::optional<Value> inside = EvalBetween(a, expr, node)) return *inside;
  Value b = EvalOperand(*node.rhs);
  if (a.IsPoison() || b.IsPoison()) return Poison{};
  if (a.IsAbsent() || b.IsAbsent()) {
    Report((a.IsAbsent() ? node.lhs : node.rhs)->span, kAbsence,
           "this may be absent; say what stands for it then: `... else ...`");
    return Poison{};
  }
  if (node.op == ast::BinaryOp::kIn) {
    const RangeValue* range = b.As<RangeValue>();
    if (!range) {
      Report(node.rhs->span, kTypeMismatch, "after `in` stands a range, `lo..hi`");
      return Poison{};
    }
    if (a.IsNumber()) {
      std::optional<Value> above = NumberBinary(ast::BinaryOp::kGe, a, Value(range->from), expr.span);
      std::optional<Value> below = NumberBinary(ast::BinaryOp::kLt, a, Value(range->to), expr.span);
      if (above && below) return *above->As<bool>() && *below->As<bool>();
    }
    return Elementwise(
        {a}, expr.span, [this, range = *range, span = expr.span](const std::vector<Value>& v) -> Value {
          return ScalarBinary(ast::BinaryOp::kAnd,
                              ScalarBinary(ast::BinaryOp::kGe, v[0], Value(range.from), span),
                              ScalarBinary(ast::BinaryOp::kLt, v[0], Value(range.to), span), span);
        });
  }
  if (node.op == ast::BinaryOp::kJoin) {
    const auto* x = a.As<std::shared_ptr<ListValue>>();
    const auto* y = b.As<std::shared_ptr<ListValue>>();
    if (!x || !y) {
      Report(node.op_span, kTypeMismatch, absl::StrCat("`++` joins lists, not ", Describe(x ? b : a)));
      return Poison{};
    }
    int64_t length = static_cast<int64_t>((*x)->elements.size() + (*y)->elements.size());
    if (!Work(expr.span, length)) return Poison{};
    if (length > kLongestList) {
      Report(expr.span, kTooMuchWork, kLongestList);
      return Poison{};
    }
    auto joined = std::make_shared<ListValue>(**x);
    joined->elements.insert(joined->elements.end(), (*y)->elements.begin(), (*y)->elements.end());
    return joined;
  }
  if (std::optional<Value> number = NumberBinary(node.op, a, b, expr.span)) return *number;
  auto holds_tensors = [](const Value& value) {
    const auto* list = value.As<std::shared_ptr<ListValue>>();
    if (!list) return false;
    for (const Value& element : (*list)->elements) {
      if (element.As<TensorPtr>()) return true;
    }
    return false;
  };
  for (const auto& [value, side] : {std::pair(&a, node.lhs), std::pair(&b, node.rhs)}) {
    if (side->Is<ast::List>() && holds_tensors(*value)) {
      Report(node.op_span, kTypeMismatch,
             absl::StrCat("`", ast::Spelling(node.op), "` does not join lists; `++` does"));
      return Poison{};
    }
  }
  return Elementwise({a, b}, node.op_span,
                     [this, op = node.op, span = expr.span](const std::vector<Value>& v) -> Value {
                       if (std::optional<Value> number = NumberBinary(op, v[0], v[1], span)) return *number;
                       return ScalarBinary(op, v[0], v[1], span);
                     },
                     {node.lhs->span, node.rhs->span});
}

std::optional<bool> Elaborator::AsCondition(const Value& value) {
  if (const bool* truth = value.As<bool>()) return *truth;
  return std::nullopt;
}

// Whether a declaration on its own leaves a number open that an instance may know.
bool Elaborator::IsOpenNumber(const Value& value) {
  const Scalar* scalar = value.As<Scalar>();
  return generic_ && scalar && IsOfSizes(*scalar->expr);
}

Value Elaborator::EvalConditional(const ast::Expr& expr, const ast::Conditional& node) {
  Value condition = Eval(*node.condition);
  if (condition.IsPoison()) return Poison{};
  if (std::optional<bool> known = AsCondition(condition)) {
    const ast::Expr* taken = *known ? node.value : node.otherwise;
    if (!taken) return Absent{};
    ++numeric_conditions_;
    Value value = Eval(*taken);
    --numeric_conditions_;
    return value;
  }
  if (!node.otherwise) {
    if (IsOpenNumber(condition)) return Poison{};  // only an instance knows
    Report(node.condition->span, kStage, "the condition of an absence",
           absl::StrCat("known when compiling, not ", Describe(condition)));
    return Poison{};
  }
  // Attributes may decide it: then one branch is not even looked at, and only an instance knows which (R26).
  if (IsOpenNumber(condition)) return Poison{};
  auto select = [this, span = expr.span,
                 condition_span = node.condition->span](const std::vector<Value>& v) -> Value {
    std::optional<Scalar> c = ToScalar(v[0], std::nullopt, span);
    if (!c) return Poison{};
    if (c->type != ElementType::kBool) {
      Report(condition_span, kTypeMismatch,
             absl::StrCat("after `if` stands a condition, not ", Spelled(c->type)));
      return Poison{};
    }
    Value a = v[1], b = v[2];
    Scalar x, y;
    if (!Unify(a, b, span, &x, &y)) return Poison{};
    return Select(*c, x, y, span);
  };
  // Each branch may assume what the condition says (R6).
  std::vector<Fact> before = facts_;
  const Scalar* scalar = condition.As<Scalar>();
  bool is_numeric = scalar && IsOfSizes(*scalar->expr);
  numeric_conditions_ += is_numeric;
  if (scalar) facts_.insert(facts_.end(), scalar->if_true.begin(), scalar->if_true.end());
  Sides sides(*this, condition);
  size_t first_change = state_changes_.size();
  Value then = sides.Eval(*node.value, &sides.of_then);
  std::map<StateKey, Value> then_states = TakeStateChanges(first_change);
  facts_ = before;
  if (scalar) facts_.insert(facts_.end(), scalar->if_false.begin(), scalar->if_false.end());
  Value otherwise = sides.Eval(*node.otherwise, &sides.of_otherwise);
  std::map<StateKey, Value> other_states = TakeStateChanges(first_change);
  // What is kept after the condition is read outside of its sides.
  if (!then_states.empty() || !other_states.empty()) sides.Flush();
  facts_ = before;
  numeric_conditions_ -= is_numeric;
  MergeStates(condition, then_states, other_states, expr, select);
  if (then.IsPoison() || otherwise.IsPoison()) return Poison{};
  auto is_plain = [](const Value& side) {
    return side.IsNumber() || side.As<Scalar>() || side.As<TensorPtr>();
  };
  if (!is_plain(then) || !is_plain(otherwise)) sides.Flush();
  Value both = Elementwise({condition, then, otherwise}, expr.span, select);
  return sides.Join(then, otherwise, both, expr.span);
}

Value Elaborator::EvalElse(const ast::Expr& expr, const ast::Else& node) {
  if (const auto* reduction = node.value->As<ast::Reduction>())
    return EvalReduction(*node.value, *reduction, node.otherwise);
  if (const auto* access = node.value->As<ast::Subscript>()) {
    Value base = EvalOptional(*access->base, *access->base);
    if (base.IsAbsent()) return Eval(*node.otherwise);
    // An optional that is there: `else` is about absence only, the subscripts are still proved.
    const ast::Ref* name = access->base->As<ast::Ref>();
    if (name && IsOptional(name->name)) return EvalOptional(*node.value, *access->base);
    return EvalSubscript(*node.value, *access, node.otherwise);
  }
  if (node.value->Is<ast::Ref>() || node.value->Is<ast::Call>() || node.value->Is<ast::Field>()) {
    if (const auto* call = node.value->As<ast::Call>()) {
      Value callee = Eval(*call->callee);
      if (callee.IsPoison()) return Poison{};
      if (callee.IsAbsent()) return Eval(*node.otherwise);
    }
    if (IsNeverAbsent(*node.value)) {
      Report(node.value->span, kAbsence, "this is never absent, so nothing can stand for it");
      return Poison{};
    }
    Value value = EvalOptional(*node.value, *node.value);
    return value.IsAbsent() ? Eval(*node.otherwise) : value;
  }
  Report(expr.span, kAbsence,
         "`else` stands directly after an access, a reduction, an optional or a call of an absent member");
  return Poison{};
}

}  // namespace weft::dsl::sema
