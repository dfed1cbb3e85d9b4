// Dimensions of an entry that a method speaks of: each is read off an axis of some input (R37).

#include <functional>
#include <set>

#include "dsl/sema/elaborator.h"
#include "dsl/size/prover.h"

namespace weft::dsl::sema {

namespace {

// Those of which an axis is a whole multiple.
std::set<int> ReadDimensions(const std::vector<Port>& inputs) {
  std::set<int> known;
  for (const Port& port : inputs) {
    for (const Size& size : port.shape) {
      if (size.terms().size() != 1 || size.terms()[0].monomial.size() != 1) continue;
      const auto& [atom, power] = size.terms()[0].monomial[0];
      bool is_symbol = atom->kind == SizeAtom::Kind::kSymbol && power == 1;
      if (is_symbol && size.terms()[0].coefficient.den == 1) known.insert(atom->id);
    }
  }
  return known;
}

// Goes through all sizes of a method, inputs first.
class SizeWalker {
 public:
  using Visit = std::function<void(const Size& size, Span span)>;
  SizeWalker(const Method& method, Visit visit) : method_(method), visit_(std::move(visit)) {}

  void Run() {
    for (const Port& port : method_.inputs) {
      for (const Size& size : port.shape) visit_(size, port.span);
      for (const std::optional<Size>& bound : {port.range_lo, port.range_hi})
        if (bound) visit_(*bound, port.span);
    }
    Walk(method_.body);
    for (const Tensor& tensor : method_.tensors)
      for (const Size& size : tensor.shape) visit_(size, tensor.span);
  }

 private:
  void Walk(const std::vector<Statement>& body) {
    for (const Statement& statement : body) {
      span_ = statement.span;
      std::visit([&](const auto& node) { Walk(node); }, statement.node);
    }
  }

  void Walk(const std::vector<Domain>& domain) {
    for (const Domain& index : domain) visit_(index.extent, span_);
  }
  void Walk(const Equation& equation) {
    Walk(equation.domain);
    for (const ExprPtr& body : equation.bodies) Walk(body);
  }
  void Walk(const Collapse&) {}
  void Walk(const Expand&) {}
  void Walk(const Concat&) {}
  void Walk(const Sort&) {}
  void Walk(const Check& check) { visit_(check.lhs, span_), visit_(check.rhs, span_); }
  void Walk(const Filter& filter) { visit_(filter.most, span_); }
  void Walk(const Extern& call) {
    for (const Extern::Result& result : call.results)
      if (result.range) visit_(result.range->first, span_), visit_(result.range->second, span_);
  }
  void Walk(const Parallel& parallel) {
    Walk(parallel.domain);
    Walk(parallel.body);
  }
  void Walk(const Branch& branch) {
    Walk(branch.then);
    Walk(branch.otherwise);
  }
  void Walk(const Recurrence& steps) {
    visit_(steps.index.extent, span_);
    Walk(steps.body);
  }
  void Walk(const ExprPtr& expr) {
    if (!expr || !seen_.insert(expr.get()).second) return;
    if (const auto* size = std::get_if<SizeValue>(&expr->node)) visit_(size->size, expr->span);
    ForEachOperand(*expr, [&](const ExprPtr& operand) { Walk(operand); });
  }

  const Method& method_;
  Visit visit_;
  Span span_;
  std::set<const Expr*> seen_;
};

}  // namespace

// Reports every dimension that no input gives, where it is met first.
void Elaborator::CheckDimensions() {
  std::set<int> known = ReadDimensions(method_->inputs);
  SizeWalker(*method_, [&](const Size& size, Span span) {
    for (const Dimension& dimension : program_.dimensions)
      if (Mentions(size, dimension.id) && known.insert(dimension.id).second)
        Report(span, kUnboundDimension, dimension.name);
  }).Run();
}

}  // namespace weft::dsl::sema
