// An op whose recurrence ends early, called under an index: stepped for all values at once until all are done
// (R22, R29). How many steps a value makes is data then, not a size.

#include <algorithm>
#include <functional>
#include <utility>

#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

// Rewrites the body of a call under indices, where all that is found in it are numbers of steps.
class StepMasker {
 public:
  StepMasker(Method& method, const std::set<int>& found, std::function<TensorId(Span)> new_count,
             std::function<ExprPtr(ElementType, Span, decltype(Expr::node))> make)
      : method_(method), found_(found), new_count_(std::move(new_count)), make_(std::move(make)) {}

  // False: something depends on these numbers as only a size can.
  bool Run(std::vector<Statement>& body, const std::vector<TensorId>& yielded) {
    std::vector<Statement> masked = body;
    FindLoops(masked);
    for (int symbol : found_) ok_ &= counts_.contains(symbol);
    for (TensorId tensor : yielded) Fits(tensor);
    if (ok_) FindReads(masked);
    if (ok_) Rewrite(masked);
    if (!ok_) return false;
    for (const auto& [tensor, steps] : results_) {
      std::vector<Size>& shape = method_.tensors[tensor].shape;
      if (steps.is_last) {
        shape.erase(shape.begin());
      } else {
        shape[0] = steps.most;
      }
    }
    body = std::move(masked);
    return true;
  }

 private:
  struct Steps {
    int symbol;
    Size most;
    bool is_last = true;  // all reads are of the last step's slice
  };

  bool Mentions(const Size& size) const {
    return std::any_of(found_.begin(), found_.end(), [&](int symbol) { return dsl::Mentions(size, symbol); });
  }

  // Tensors that are used as wholes have no axis of so many steps.
  void Fits(TensorId tensor) {
    const std::vector<Size>& shape = method_.tensors[tensor].shape;
    ok_ &= std::none_of(shape.begin(), shape.end(), [&](const Size& size) { return Mentions(size); });
  }

  void FindLoops(std::vector<Statement>& body) {
    for (Statement& statement : body) {
      if (auto* parallel = std::get_if<Parallel>(&statement.node)) FindLoops(parallel->body);
      auto* steps = std::get_if<Recurrence>(&statement.node);
      if (!steps) continue;
      FindLoops(steps->body);
      if (steps->stop < 0 || steps->size < 0) continue;
      counts_[steps->size] = steps->count = new_count_(statement.span);
      for (Recurrence::State& state : steps->states) {
        if (!state.keeps_last) results_[state.result] = {steps->size, steps->index.extent};
      }
    }
  }

  // ---- What uses them, and how

  void FindReads(const std::vector<Statement>& body) {
    for (const Statement& statement : body) {
      std::visit([&](const auto& node) { FindReads(node); }, statement.node);
      if (!ok_) return;
    }
  }
  void FindReads(const std::vector<Domain>& domain) {
    for (const Domain& index : domain) ok_ &= !Mentions(index.extent);
  }
  void FindReads(const Equation& equation) {
    FindReads(equation.domain);
    for (const ExprPtr& body : equation.bodies) FindReads(body);
  }
  void FindReads(const Collapse& node) { Fits(node.result), Fits(node.source); }
  void FindReads(const Expand& node) { Fits(node.result), Fits(node.source); }
  void FindReads(const Concat& node) {
    Fits(node.result);
    for (TensorId source : node.sources) Fits(source);
  }
  void FindReads(const Check& check) {
    ok_ &= !Mentions(check.lhs) && !Mentions(check.rhs);
    for (const Size& size : check.values) ok_ &= !Mentions(size);
  }
  void FindReads(const Sort& sort) { Fits(sort.result), Fits(sort.keys); }
  void FindReads(const Filter&) { ok_ = false; }
  void FindReads(const Extern&) { ok_ = false; }
  void FindReads(const Branch&) { ok_ = false; }
  void FindReads(const Parallel& parallel) {
    FindReads(parallel.domain);
    FindReads(parallel.body);
    for (const Parallel::Yield& yield : parallel.yields) Fits(yield.inner);
  }
  void FindReads(const Recurrence& steps) {
    ok_ &= !Mentions(steps.index.extent);
    for (const Recurrence::State& state : steps.states) {
      Fits(state.slice);
      for (TensorId given : state.given) Fits(given);
    }
    for (const auto& [inside, outside] : steps.unchanged) Fits(outside);
    FindReads(steps.body);
  }

  void FindReads(const ExprPtr& expr) {
    if (!expr || !seen_.insert(expr.get()).second) return;
    ForEachOperand(*expr, [&](const ExprPtr& operand) { FindReads(operand); });
    if (const auto* size = std::get_if<SizeValue>(&expr->node)) ok_ &= IsPolynomial(size->size);
    const auto* read = std::get_if<Read>(&expr->node);
    auto result = read ? results_.find(read->tensor) : results_.end();
    if (result == results_.end()) return;
    const Subscript& step = read->subscripts[0];
    ok_ &= step.outside == Outside::kInside;
    const auto* at = std::get_if<SizeValue>(&step.at->node);
    Steps& steps = result->second;
    Size last = at ? at->size + Size(1) : Size(0);
    steps.is_last &= last.IsBareSymbol() && last.terms()[0].monomial[0].first->id == steps.symbol;
  }

  // Whether the numbers of steps stand in no function, and with whole factors.
  bool IsPolynomial(const Size& size) const {
    if (!Mentions(size)) return true;
    for (const Size::Term& term : size.terms()) {
      if (term.coefficient.den != 1) return false;
      for (const auto& [atom, power] : term.monomial) {
        bool is_count = atom->kind == SizeAtom::Kind::kSymbol && counts_.contains(atom->id);
        if (!is_count && Mentions(Size::OfAtom(atom))) return false;
      }
    }
    return true;
  }

  // ---- With values in the place of sizes

  void Rewrite(std::vector<Statement>& body) {
    for (Statement& statement : body) {
      if (auto* equation = std::get_if<Equation>(&statement.node)) {
        for (ExprPtr& expr : equation->bodies) expr = Rewritten(expr);
      } else if (auto* parallel = std::get_if<Parallel>(&statement.node)) {
        Rewrite(parallel->body);
      } else if (auto* steps = std::get_if<Recurrence>(&statement.node)) {
        Rewrite(steps->body);
        steps->size = -1;
        for (Recurrence::State& state : steps->states) {
          auto result = results_.find(state.result);
          state.keeps_last |= result != results_.end() && result->second.is_last;
        }
      }
    }
  }

  ExprPtr Rewritten(const ExprPtr& expr) {
    if (!expr) return expr;
    auto [known, is_new] = rewritten_.try_emplace(expr.get(), expr);
    if (!is_new) return known->second;
    ExprPtr result = expr;
    if (const auto* size = std::get_if<SizeValue>(&expr->node)) {
      if (Mentions(size->size)) result = ValueOf(size->size, expr->span);
    } else if (!std::holds_alternative<Literal>(expr->node) &&
               !std::holds_alternative<IndexRef>(expr->node)) {
      result = WithOperands(*expr);
    }
    rewritten_[expr.get()] = result;
    return result;
  }

  ExprPtr WithOperands(const Expr& expr) {
    decltype(Expr::node) node = expr.node;
    if (auto* read = std::get_if<Read>(&node)) {
      for (Subscript& subscript : read->subscripts) subscript.at = Rewritten(subscript.at);
      read->fill = Rewritten(read->fill);
      auto result = results_.find(read->tensor);
      if (result != results_.end() && result->second.is_last)
        read->subscripts.erase(read->subscripts.begin());
    } else if (auto* apply = std::get_if<Apply>(&node)) {
      for (ExprPtr& operand : apply->operands) operand = Rewritten(operand);
    } else if (auto* cast = std::get_if<Cast>(&node)) {
      cast->operand = Rewritten(cast->operand);
    } else if (auto* reduce = std::get_if<Reduce>(&node)) {
      for (Binder& binder : reduce->binders) {
        binder.lower = Rewritten(binder.lower);
        binder.upper = Rewritten(binder.upper);
      }
      for (ExprPtr* part : {&reduce->condition, &reduce->body, &reduce->if_empty}) *part = Rewritten(*part);
    }
    return make_(expr.type, expr.span, std::move(node));
  }

  ExprPtr ValueOf(const Size& size, Span span) {
    ExprPtr sum;
    auto combine = [&](Function function, const ExprPtr& a, const ExprPtr& b) {
      return a ? make_(ElementType::kInt, span, Apply{function, {a, b}}) : b;
    };
    for (const Size::Term& term : size.terms()) {
      Size rest = Size::FromRational(term.coefficient);
      ExprPtr product;
      for (const auto& [atom, power] : term.monomial) {
        auto count = counts_.find(atom->kind == SizeAtom::Kind::kSymbol ? atom->id : -1);
        for (int i = 0; i < power; ++i) {
          if (count == counts_.end()) {
            rest = rest * Size::OfAtom(atom);
          } else {
            product = combine(Function::kMul, product,
                              make_(ElementType::kInt, span, Read{count->second, {}, nullptr}));
          }
        }
      }
      if (!product || !(rest == Size(1)))
        product = combine(Function::kMul, product, make_(ElementType::kInt, span, SizeValue{rest}));
      sum = combine(Function::kAdd, sum, product);
    }
    return sum;
  }

  Method& method_;
  const std::set<int>& found_;
  std::function<TensorId(Span)> new_count_;
  std::function<ExprPtr(ElementType, Span, decltype(Expr::node))> make_;
  std::map<int, TensorId> counts_;     // by symbol
  std::map<TensorId, Steps> results_;  // of the loops, with an axis of steps
  std::set<const Expr*> seen_;
  std::map<const Expr*, ExprPtr> rewritten_;
  bool ok_ = true;
};

}  // namespace

// Whether the call can be stepped for all values of its indices at once, each until its own end; `parallel`
// says it so then.
bool Elaborator::MaskSteps(const std::set<int>& found, Parallel* parallel) {
  std::vector<TensorId> yielded;
  for (const Parallel::Yield& yield : parallel->yields) yielded.push_back(yield.inner);
  StepMasker masker(
      *method_, found, [&](Span span) { return NewTensor("steps", ElementType::kInt, {}, span); },
      [&](ElementType type, Span span, decltype(Expr::node) node) {
        return Make(type, span, std::move(node));
      });
  return masker.Run(parallel->body, yielded);
}

}  // namespace weft::dsl::sema
