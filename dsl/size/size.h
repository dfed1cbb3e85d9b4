#ifndef WEFT_DSL_SIZE_SIZE_H_
#define WEFT_DSL_SIZE_SIZE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft::dsl {

// A rational number in lowest terms, denominator positive.
struct Rational {
  int64_t num = 0;
  int64_t den = 1;
  friend bool operator==(const Rational&, const Rational&) = default;
};

class Size;

// What a size is made of besides rational numbers: a dimension, an attribute that is not known yet, or a
// function of sizes that polynomials cannot say. Equal atoms are equal by structure (dimensions and
// attributes by `id`).
struct SizeAtom {
  enum class Kind {
    kSymbol,  // a dimension or an attribute: `name`, `id`, bounds `lo..hi` (inclusive) and `step` if declared
    kFloorDiv,   // operands[0] div operands[1]
    kMod,        // operands[0] % operands[1]
    kMin,        // minimum(operands...)
    kMax,        // maximum(operands...)
    kFloor,      // floor(operands[0]), operands[0] a size with fractions in it
    kFloorReal,  // floor(real * operands[0] + offset), real and offset not rational in the file's words
  };
  Kind kind = Kind::kSymbol;
  int id = 0;
  std::string name;
  std::optional<int64_t> lo, hi;
  int64_t step = 1;
  double real = 1, offset = 0;
  std::vector<Size> operands;
  int weight = 1;  // atoms in it, itself counted
};

// A size in normal form: a polynomial with rational coefficients over atoms. Two sizes are the same if their
// normal forms are (R18: `/` is exact, so coefficients may be fractions until wholeness is required).
class Size {
 public:
  // Product of atoms with powers, sorted; the empty product is 1.
  using Monomial = std::vector<std::pair<std::shared_ptr<const SizeAtom>, int>>;
  struct Term {
    Rational coefficient;
    Monomial monomial;
  };

  Size() = default;     // zero
  Size(int64_t value);  // NOLINT: numbers are sizes
  static Size FromRational(Rational value);
  static Size Symbol(int id, std::string name, std::optional<int64_t> lo = std::nullopt,
                     std::optional<int64_t> hi = std::nullopt, int64_t step = 1);
  static Size OfAtom(std::shared_ptr<const SizeAtom> atom);
  // floor(real * operand + offset).
  static Size FloorReal(double real, const Size& operand, double offset);

  const std::vector<Term>& terms() const { return terms_; }  // sorted, no zero coefficient
  std::optional<int64_t> AsInteger() const;                  // a whole number, if it is one
  std::optional<Rational> AsRational() const;                // a number, if it is one
  bool IsBareSymbol() const;
  // Whether arithmetic has left what a size can be: 64 bits, or a formula of bounded length. Nothing is known
  // of it.
  bool IsTooLarge() const;
  bool IsWhole() const;  // whether it is a whole number for all values of its symbols (their steps count)
  std::string ToString() const;  // in the file's words: `2*H + 1`, `(W - 1) div 2`

  friend Size operator+(const Size& a, const Size& b);
  friend Size operator-(const Size& a, const Size& b);
  friend Size operator*(const Size& a, const Size& b);
  friend bool operator==(const Size& a, const Size& b);

  // Replaces symbols by sizes (a call's dimensions by the caller's, an instance's by numbers).
  Size Substitute(const std::map<int, Size>& values) const;

  // The value for given symbols; nothing if a symbol is missing or a division is not exact.
  std::optional<int64_t> Evaluate(const std::map<int, int64_t>& values) const;

 private:
  friend class SizeBuilder;
  std::vector<Term> terms_;
};

// `a / b`, exact; nothing if b is zero or the quotient is no polynomial (use kFloor or a check then).
std::optional<Size> ExactDiv(const Size& a, const Size& b);
Size FloorDiv(const Size& a, const Size& b);
Size Mod(const Size& a, const Size& b);
Size Minimum(const Size& a, const Size& b);
Size Maximum(const Size& a, const Size& b);
Size Floor(const Size& a);

}  // namespace weft::dsl

#endif  // WEFT_DSL_SIZE_SIZE_H_
