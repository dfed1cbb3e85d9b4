#include "dsl/size/prover.h"

#include <algorithm>
#include <cmath>

namespace weft::dsl {

namespace {

constexpr int kDepth = 10;

}  // namespace

bool Mentions(const Size& size, int symbol) {
  for (const Size::Term& term : size.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kSymbol && atom->id == symbol) return true;
      for (const Size& operand : atom->operands) {
        if (Mentions(operand, symbol)) return true;
      }
    }
  }
  return false;
}

namespace {

Size FromTerm(const Size::Term& term, const SizeAtom* without) {
  Size product = Size::FromRational(term.coefficient);
  for (const auto& [atom, power] : term.monomial) {
    if (atom.get() == without) continue;
    Size factor = Size::OfAtom(atom);
    for (int i = 0; i < power; ++i) product = product * factor;
  }
  return product;
}

}  // namespace

std::optional<Linear> SplitLinear(const Size& form, int symbol) {
  Linear linear;
  for (const Size::Term& term : form.terms()) {
    const SizeAtom* found = nullptr;
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kSymbol && atom->id == symbol) {
        if (power != 1) return std::nullopt;
        found = atom.get();
      } else if (Mentions(Size::OfAtom(atom), symbol)) {
        return std::nullopt;
      }
    }
    if (found) {
      linear.coefficient = linear.coefficient + FromTerm(term, found);
    } else {
      linear.rest = linear.rest + FromTerm(term, nullptr);
    }
  }
  return linear;
}

namespace {

// The least value of a term by the bounds of its symbols; -infinity if it has none.
double LeastOf(const Size::Term& term) {
  double low = 1, high = 1;  // of the product of symbols, which are not negative
  for (const auto& [atom, power] : term.monomial) {
    double lo = 0, hi = INFINITY;
    if (atom->kind == SizeAtom::Kind::kSymbol && atom->id >= 0) {
      if (atom->lo && *atom->lo < 0) return -INFINITY;
      if (!atom->lo && !atom->hi) return -INFINITY;
      lo = atom->lo ? static_cast<double>(*atom->lo) : 0;
      hi = atom->hi ? static_cast<double>(*atom->hi) : INFINITY;
    } else {
      return -INFINITY;
    }
    low *= std::pow(lo, power);
    high = hi == 0 || high == 0 ? 0 : high * std::pow(hi, power);
  }
  double c = static_cast<double>(term.coefficient.num) / static_cast<double>(term.coefficient.den);
  return c >= 0 ? c * low : c * high;
}

bool IsOne(const Rational& r, int64_t sign) { return r.den == 1 && r.num == sign; }

// Whether the term is an atom alone that is no symbol.
bool IsOneAtom(const Size::Term& term) {
  return term.monomial.size() == 1 && term.monomial[0].second == 1 &&
         term.monomial[0].first->kind != SizeAtom::Kind::kSymbol;
}

}  // namespace

// The atom to settle first: the largest alone in a term, because smaller ones may occur in it too and would
// be judged apart from it. Those with an index in them come before all others, which the ends of its range
// may name.
const Size::Term* Prover::TermToSettle(const Size& form) const {
  const Size::Term* chosen = nullptr;
  std::pair<bool, int> most;
  for (const Size::Term& term : form.terms()) {
    if (!IsOneAtom(term)) continue;
    const auto& atom = term.monomial[0].first;
    bool has_index = std::any_of(indices_.begin(), indices_.end(), [&](const Range& range) {
      return Mentions(Size::OfAtom(atom), range.symbol);
    });
    std::pair<bool, int> rank(has_index, atom->weight);
    if (!chosen || rank > most) chosen = &term, most = rank;
  }
  return chosen;
}

void Prover::AddFact(const Fact& fact) {
  Size opposite = Size(0) - fact.form;
  if (fact.kind == Fact::Kind::kNatural) {
    facts_.push_back(fact.form);
  } else if (IsNatural(fact.form)) {
    facts_.push_back(fact.form - Size(1));
  } else if (IsNatural(opposite)) {
    facts_.push_back(opposite - Size(1));
  }
}

bool Prover::IsPositive(const Size& form) const {
  if (Positive(form, kDepth)) return true;
  for (const Size& fact : facts_) {
    if (Positive(form - fact, kDepth)) return true;
  }
  return false;
}

// The least (or largest) value of `n` over the indices in it; nothing if it has none, if one of them is also
// in `d` or `rest` (then the corner of one need not be that of the other), or if n does not rise or fall with
// it throughout.
std::optional<Size> Prover::Corner(const Size& n, const Size& d, const Size& rest, bool least) const {
  Size corner = n;
  bool changed = false;
  for (auto range = indices_.rbegin(); range != indices_.rend(); ++range) {
    if (!Mentions(corner, range->symbol)) continue;
    std::optional<Linear> linear = SplitLinear(corner, range->symbol);
    if (!linear || Mentions(rest, range->symbol) || Mentions(d, range->symbol)) return std::nullopt;
    bool rises = Positive(linear->coefficient + Size(1), kDepth / 2);
    if (!rises && !Positive(Size(1) - linear->coefficient, kDepth / 2)) return std::nullopt;
    corner = linear->coefficient * (rises == least ? range->lower : range->upper - Size(1)) + linear->rest;
    changed = true;
  }
  return changed ? std::optional(corner) : std::nullopt;
}

// `coefficient * atom + rest > 0` for an atom that is no symbol.
bool Prover::PositiveByCases(const Size& form, const SizeAtom& atom, const Rational& coefficient,
                             const Size& rest, int depth) const {
  Size factor = Size::FromRational(coefficient);
  bool rises = coefficient.num > 0;
  switch (atom.kind) {
    case SizeAtom::Kind::kMin:
    case SizeAtom::Kind::kMax: {
      bool both = (atom.kind == SizeAtom::Kind::kMin) == rises;
      bool first = Positive(factor * atom.operands[0] + rest, depth - 1);
      if (first != both) return first;
      return Positive(factor * atom.operands[1] + rest, depth - 1);
    }
    case SizeAtom::Kind::kMod: {  // 0 <= a % b < b for b > 0
      if (!Positive(atom.operands[1], depth - 1)) return false;
      return Positive(rises ? rest : rest + factor * (atom.operands[1] - Size(1)), depth - 1);
    }
    case SizeAtom::Kind::kFloorDiv: {
      const Size &n = atom.operands[0], &d = atom.operands[1];
      if (!Positive(d, depth - 1)) return false;
      // floor(n / d) < rest for a whole rest is n < d * rest; floor(n / d) >= 1 - rest is n >= d * (1 -
      // rest).
      if (IsOne(coefficient, -1) && rest.IsWhole()) return Positive(d * rest - n, depth - 1);
      if (IsOne(coefficient, 1) && rest.IsWhole()) return Positive(n + d * rest - d + Size(1), depth - 1);
      if (rest.AsRational()) {
        // With t = -rest / factor: floor(n / d) > t is n >= d * (floor(t) + 1), floor(n / d) < t is n < d *
        // ceil(t).
        if (rises) return Positive(n - d * (FloorDiv(Size(0) - rest, factor) + Size(1)) + Size(1), depth - 1);
        return Positive(Size(0) - d * FloorDiv(rest, factor) - n, depth - 1);
      }
      if (std::optional<Size> corner = Corner(n, d, rest, rises)) {
        return Positive(factor * FloorDiv(*corner, d) + rest, depth - 1);
      }
      std::optional<int64_t> divisor = d.AsInteger();
      if (!divisor) return false;
      Size quotient = Size::FromRational({1, *divisor}) * (rises ? n - d + Size(1) : n);
      return Positive(factor * quotient + rest, depth - 1);
    }
    case SizeAtom::Kind::kFloor: {  // x - 1 < floor(x) <= x
      Size bound = rises ? atom.operands[0] - Size(1) : atom.operands[0];
      return Positive(factor * bound + rest, depth - 1);
    }
    case SizeAtom::Kind::kFloorReal:
    case SizeAtom::Kind::kSymbol:
      return false;
  }
  return false;
}

bool Prover::Positive(const Size& form, int depth) const {
  if (std::optional<Rational> number = form.AsRational()) return number->num > 0;
  if (depth == 0) return false;
  // An index outside of all atoms goes to the end of its range before an atom is settled that may bound it,
  // unless an index inside one is bounded by it. That is no case, and comes to an end: ranges name symbols
  // added earlier.
  std::vector<const Range*> inside;
  for (auto range = indices_.rbegin(); range != indices_.rend(); ++range) {
    if (!Mentions(form, range->symbol)) continue;
    std::optional<Linear> linear = SplitLinear(form, range->symbol);
    std::optional<Rational> slope = linear ? linear->coefficient.AsRational() : std::nullopt;
    bool bounds = std::any_of(inside.begin(), inside.end(), [&](const Range* inner) {
      return Mentions(inner->lower, range->symbol) || Mentions(inner->upper, range->symbol);
    });
    if (!slope || bounds) {
      inside.push_back(&*range);
      continue;
    }
    const Size worst = slope->num > 0 ? range->lower : range->upper - Size(1);
    return Positive(linear->coefficient * worst + linear->rest, depth);
  }
  if (const Size::Term* term = TermToSettle(form)) {
    Size rest = form - FromTerm(*term, nullptr);
    return PositiveByCases(form, *term->monomial[0].first, term->coefficient, rest, depth);
  }
  // What the bounds of dimensions say alone needs no steps, however many there are.
  double least = 0;
  for (const Size::Term& term : form.terms()) least += LeastOf(term);
  if (least > 0) return true;
  // Innermost indices first: their bounds may name the outer ones.
  for (auto range = indices_.rbegin(); range != indices_.rend(); ++range) {
    if (!Mentions(form, range->symbol)) continue;
    std::optional<Linear> linear = SplitLinear(form, range->symbol);
    if (!linear) return false;
    if (Positive(linear->coefficient + Size(1), depth - 1)) {
      return Positive(linear->coefficient * range->lower + linear->rest, depth - 1);
    }
    if (Positive(Size(1) - linear->coefficient, depth - 1)) {
      return Positive(linear->coefficient * (range->upper - Size(1)) + linear->rest, depth - 1);
    }
    return false;
  }
  return false;
}

}  // namespace weft::dsl
