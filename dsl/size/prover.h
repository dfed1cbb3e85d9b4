#ifndef WEFT_DSL_SIZE_PROVER_H_
#define WEFT_DSL_SIZE_PROVER_H_

#include <optional>
#include <vector>

#include "dsl/size/size.h"

namespace weft::dsl {

// What is known of a form where a question is asked.
struct Fact {
  enum class Kind { kNatural /* at least 0 */, kNonzero } kind;
  Size form;
};

// form = coefficient * symbol + rest, neither of which mentions the symbol.
struct Linear {
  Size coefficient, rest;
};
// Nothing if the symbol occurs with a higher power or inside another atom.
std::optional<Linear> SplitLinear(const Size& form, int symbol);
bool Mentions(const Size& size, int symbol);

// Proves inequalities of whole-numbered forms over dimensions and indices (both are symbols of Size). A proof
// uses the declared bounds of dimensions, the ranges of the indices in force and one fact at a time; it is an
// interval argument over linear forms, exact for `div` by what is positive and case by case for minimum and
// maximum. "No" means only that no proof was found.
class Prover {
 public:
  // An index in force: lower <= symbol < upper. Bounds may name symbols added earlier.
  void AddIndex(int symbol, const Size& lower, const Size& upper) {
    indices_.push_back({symbol, lower, upper});
  }
  // Ranges of indices come first: what is not zero is used only if they say on which side of it the form
  // lies.
  void AddFact(const Fact& fact);

  bool IsPositive(const Size& form) const;
  bool IsNatural(const Size& form) const { return IsPositive(form + Size(1)); }
  bool AtMost(const Size& a, const Size& b) const { return IsNatural(b - a); }
  // 0 <= form < axis.
  bool IsInside(const Size& form, const Size& axis) const {
    return IsNatural(form) && IsPositive(axis - form);
  }
  // Whether the form is outside 0..axis for every value of the indices: certainly below 0 or certainly behind
  // the end.
  bool IsOutside(const Size& form, const Size& axis) const {
    return IsPositive(Size(0) - form) || IsNatural(form - axis);
  }

 private:
  struct Range {
    int symbol;
    Size lower, upper;
  };
  const Size::Term* TermToSettle(const Size& form) const;
  bool Positive(const Size& form, int depth) const;
  bool PositiveByCases(const Size& form, const SizeAtom& atom, const Rational& coefficient, const Size& rest,
                       int depth) const;
  std::optional<Size> Corner(const Size& n, const Size& d, const Size& rest, bool least) const;

  std::vector<Range> indices_;
  std::vector<Size> facts_;  // at least 0
};

}  // namespace weft::dsl

#endif  // WEFT_DSL_SIZE_PROVER_H_
