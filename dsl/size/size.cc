#include "dsl/size/size.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace weft::dsl {

namespace {

using AtomPtr = std::shared_ptr<const SizeAtom>;
using Wide = __int128;

constexpr Wide kLargest = INT64_MAX;
constexpr int kTooLarge = -1;      // the symbol of a size of which nothing is known
constexpr int kMostWeight = 1000;  // atoms and terms of a size

Wide Gcd(Wide a, Wide b) {
  if (a < 0) a = -a;
  while (b != 0) {
    Wide rest = a % (b < 0 ? -b : b);
    a = b < 0 ? -b : b;
    b = rest;
  }
  return a;
}

// Nothing if the fraction does not fit 64 bits.
std::optional<Rational> Lowest(Wide num, Wide den) {
  if (den < 0) num = -num, den = -den;
  Wide common = Gcd(num, den);
  if (common > 1) num /= common, den /= common;
  if (num > kLargest || num < -kLargest || den > kLargest) return std::nullopt;
  return Rational{static_cast<int64_t>(num), static_cast<int64_t>(den)};
}

std::optional<Rational> Add(Rational a, Rational b) {
  return Lowest(Wide{a.num} * b.den + Wide{b.num} * a.den, Wide{a.den} * b.den);
}
std::optional<Rational> Multiply(Rational a, Rational b) {
  return Lowest(Wide{a.num} * b.num, Wide{a.den} * b.den);
}

int64_t FloorOf(Rational r) {
  int64_t quotient = r.num / r.den;
  return r.num % r.den < 0 ? quotient - 1 : quotient;
}

int Compare(const Size& a, const Size& b);

int Compare(const SizeAtom& a, const SizeAtom& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.kind == SizeAtom::Kind::kSymbol) return a.id == b.id ? 0 : a.id < b.id ? -1 : 1;
  if (a.real != b.real) return a.real < b.real ? -1 : 1;
  if (a.offset != b.offset) return a.offset < b.offset ? -1 : 1;
  if (a.operands.size() != b.operands.size()) return a.operands.size() < b.operands.size() ? -1 : 1;
  for (size_t i = 0; i < a.operands.size(); ++i) {
    if (int order = Compare(a.operands[i], b.operands[i])) return order;
  }
  return 0;
}

int Degree(const Size::Monomial& m) {
  int degree = 0;
  for (const auto& [atom, power] : m) degree += power;
  return degree;
}

// Higher degree first, so that the number comes last.
int Compare(const Size::Monomial& a, const Size::Monomial& b) {
  if (int d = Degree(b) - Degree(a)) return d;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (int order = Compare(*a[i].first, *b[i].first)) return order;
    if (a[i].second != b[i].second) return b[i].second - a[i].second;
  }
  return static_cast<int>(a.size()) - static_cast<int>(b.size());
}

int Compare(const Size& a, const Size& b) {
  for (size_t i = 0; i < std::min(a.terms().size(), b.terms().size()); ++i) {
    const Size::Term &x = a.terms()[i], &y = b.terms()[i];
    if (int order = Compare(x.monomial, y.monomial)) return order;
    if (!(x.coefficient == y.coefficient)) {
      return Wide{x.coefficient.num} * y.coefficient.den < Wide{y.coefficient.num} * x.coefficient.den ? -1
                                                                                                       : 1;
    }
  }
  return static_cast<int>(a.terms().size()) - static_cast<int>(b.terms().size());
}

Size::Monomial Times(const Size::Monomial& a, const Size::Monomial& b) {
  Size::Monomial product = a;
  for (const auto& [atom, power] : b) {
    auto place = std::find_if(product.begin(), product.end(),
                              [&, &atom = atom](const auto& f) { return Compare(*f.first, *atom) == 0; });
    if (place != product.end()) {
      place->second += power;
    } else {
      product.emplace_back(atom, power);
    }
  }
  std::sort(product.begin(), product.end(),
            [](const auto& x, const auto& y) { return Compare(*x.first, *y.first) < 0; });
  return product;
}

}  // namespace

// Builds normal forms; the only writer of Size::terms_.
class SizeBuilder {
 public:
  static Size Of(std::vector<Size::Term> terms) {
    std::sort(terms.begin(), terms.end(),
              [](const Size::Term& a, const Size::Term& b) { return Compare(a.monomial, b.monomial) < 0; });
    Size size;
    for (Size::Term& term : terms) {
      if (!size.terms_.empty() && Compare(size.terms_.back().monomial, term.monomial) == 0) {
        std::optional<Rational> sum = Add(size.terms_.back().coefficient, term.coefficient);
        if (!sum) return TooLarge();
        size.terms_.back().coefficient = *sum;
      } else {
        size.terms_.push_back(std::move(term));
      }
    }
    std::erase_if(size.terms_, [](const Size::Term& term) { return term.coefficient.num == 0; });
    return Weight(size) <= kMostWeight ? size : TooLarge();
  }

  static int Weight(const Size& size) {
    int weight = 0;
    for (const Size::Term& term : size.terms_) {
      ++weight;
      for (const auto& [atom, power] : term.monomial) weight += atom->weight;
      if (weight > kMostWeight) break;
    }
    return weight;
  }

  static Size Atom(SizeAtom atom) {
    for (const Size& operand : atom.operands) {
      if (operand.IsTooLarge()) return TooLarge();
      atom.weight += Weight(operand);
    }
    return Of({{Rational{1, 1}, {{std::make_shared<const SizeAtom>(std::move(atom)), 1}}}});
  }
  static Size Atom(AtomPtr atom) { return Of({{Rational{1, 1}, {{std::move(atom), 1}}}}); }

  // A size of which nothing is known: arithmetic left 64 bits.
  static Size TooLarge() {
    SizeAtom atom;
    atom.id = kTooLarge;
    atom.name = "(a size beyond 64 bits)";
    Size size;
    size.terms_.push_back({Rational{1, 1}, {{std::make_shared<const SizeAtom>(std::move(atom)), 1}}});
    return size;
  }

  // Whether a term is a whole number wherever its symbols are: the steps of its symbols cancel its
  // denominator.
  static bool IsWhole(const Size::Term& term) {
    Wide multiple = 1;
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kSymbol) multiple *= atom->step;
      if (multiple > kLargest) return term.coefficient.den == 1;
    }
    return multiple % term.coefficient.den == 0;
  }
};

Size::Size(int64_t value) {
  if (value != 0) terms_.push_back({Rational{value, 1}, {}});
}

Size Size::FromRational(Rational value) { return SizeBuilder::Of({{value, {}}}); }

Size Size::Symbol(int id, std::string name, std::optional<int64_t> lo, std::optional<int64_t> hi,
                  int64_t step) {
  SizeAtom atom;
  atom.id = id;
  atom.name = std::move(name);
  atom.lo = lo;
  atom.hi = hi;
  atom.step = step;
  return SizeBuilder::Atom(std::move(atom));
}

Size Size::OfAtom(std::shared_ptr<const SizeAtom> atom) { return SizeBuilder::Atom(std::move(atom)); }

Size Size::FloorReal(double real, const Size& operand, double offset) {
  if (std::optional<Rational> number = operand.AsRational()) {
    double value = std::floor(real * (static_cast<double>(number->num) / number->den) + offset);
    if (std::abs(value) < 9e18) return Size(static_cast<int64_t>(value));
  }
  SizeAtom atom;
  atom.kind = SizeAtom::Kind::kFloorReal;
  atom.real = real;
  atom.offset = offset;
  atom.operands = {operand};
  return SizeBuilder::Atom(std::move(atom));
}

std::optional<Rational> Size::AsRational() const {
  if (terms_.empty()) return Rational{0, 1};
  if (terms_.size() == 1 && terms_[0].monomial.empty()) return terms_[0].coefficient;
  return std::nullopt;
}

std::optional<int64_t> Size::AsInteger() const {
  std::optional<Rational> number = AsRational();
  return number && number->den == 1 ? std::optional<int64_t>(number->num) : std::nullopt;
}

bool Size::IsBareSymbol() const {
  return terms_.size() == 1 && terms_[0].coefficient == Rational{1, 1} && terms_[0].monomial.size() == 1 &&
         terms_[0].monomial[0].second == 1 && terms_[0].monomial[0].first->kind == SizeAtom::Kind::kSymbol;
}

bool Size::IsTooLarge() const {
  return std::any_of(terms_.begin(), terms_.end(), [](const Term& term) {
    return std::any_of(term.monomial.begin(), term.monomial.end(), [](const auto& factor) {
      return factor.first->kind == SizeAtom::Kind::kSymbol && factor.first->id == kTooLarge;
    });
  });
}

bool Size::IsWhole() const { return std::all_of(terms_.begin(), terms_.end(), SizeBuilder::IsWhole); }

Size operator+(const Size& a, const Size& b) {
  std::vector<Size::Term> terms = a.terms();
  terms.insert(terms.end(), b.terms().begin(), b.terms().end());
  return SizeBuilder::Of(std::move(terms));
}

Size operator*(const Size& a, const Size& b) {
  std::vector<Size::Term> terms;
  for (const Size::Term& x : a.terms()) {
    for (const Size::Term& y : b.terms()) {
      std::optional<Rational> product = Multiply(x.coefficient, y.coefficient);
      if (!product) return SizeBuilder::TooLarge();
      terms.push_back({*product, Times(x.monomial, y.monomial)});
    }
  }
  return SizeBuilder::Of(std::move(terms));
}

Size operator-(const Size& a, const Size& b) { return a + b * Size(-1); }
bool operator==(const Size& a, const Size& b) { return Compare(a, b) == 0; }

namespace {

std::optional<Size> DivideTerm(const Size::Term& a, const Size::Term& b) {
  Size::Monomial quotient;
  for (const auto& [atom, power] : a.monomial) {
    int rest = power;
    for (const auto& [other, taken] : b.monomial) {
      if (Compare(*atom, *other) == 0) rest -= taken;
    }
    if (rest < 0) return std::nullopt;
    if (rest > 0) quotient.emplace_back(atom, rest);
  }
  for (const auto& [other, taken] : b.monomial) {
    bool found = std::any_of(a.monomial.begin(), a.monomial.end(),
                             [&, &other = other](const auto& f) { return Compare(*f.first, *other) == 0; });
    if (!found) return std::nullopt;
  }
  std::optional<Rational> c = Multiply(a.coefficient, Rational{b.coefficient.den, 1});
  if (!c) return std::nullopt;
  std::optional<Rational> d = Lowest(Wide{c->num}, Wide{c->den} * b.coefficient.num);
  if (!d) return std::nullopt;
  return SizeBuilder::Of({{*d, quotient}});
}

// The terms of `a` that are whole multiples of `b`, divided by it, and what remains.
std::pair<Size, Size> PullOut(const Size& a, const Size& b) {
  Size quotient, rest;
  for (const Size::Term& term : a.terms()) {
    Size single = SizeBuilder::Of({term});
    std::optional<Size> part = ExactDiv(single, b);
    if (part && part->IsWhole() && !single.AsRational()) {
      quotient = quotient + *part;
    } else {
      rest = rest + single;
    }
  }
  return {quotient, rest};
}

}  // namespace

std::optional<Size> ExactDiv(const Size& a, const Size& b) {
  if (b.terms().empty()) return std::nullopt;
  Size quotient, rest = a;
  for (int step = 0; step < 16 && !rest.terms().empty(); ++step) {
    std::optional<Size> lead = DivideTerm(rest.terms()[0], b.terms()[0]);
    if (!lead) return std::nullopt;
    quotient = quotient + *lead;
    rest = rest - *lead * b;
  }
  return rest.terms().empty() ? std::optional<Size>(quotient) : std::nullopt;
}

namespace {

// The largest number and the largest product of atoms that divide every one of the terms; its own are whole.
Size ContentOf(const std::vector<Size::Term>& terms) {
  Wide num = 0, den = 1;
  Size::Monomial common = terms[0].monomial;
  for (const Size::Term& term : terms) {
    num = Gcd(num, term.coefficient.num);
    den = den / Gcd(den, term.coefficient.den) * term.coefficient.den;
    if (den > kLargest) return Size(1);
    for (auto& [atom, power] : common) {
      auto found = std::find_if(term.monomial.begin(), term.monomial.end(),
                                [&, &atom = atom](const auto& f) { return Compare(*f.first, *atom) == 0; });
      power = found == term.monomial.end() ? 0 : std::min(power, found->second);
    }
    std::erase_if(common, [](const auto& factor) { return factor.second == 0; });
  }
  std::optional<Rational> number = Lowest(num, den);
  return number ? SizeBuilder::Of({{*number, common}}) : Size(1);
}

// Takes a factor that both have out of them, if whole numbers stay.
void Cancel(const Size& factor, Size* a, Size* b) {
  std::optional<Size> x = ExactDiv(*a, factor), y = ExactDiv(*b, factor);
  if (x && y && x->IsWhole() && y->IsWhole()) *a = *x, *b = *y;
}

void CancelCommonFactor(Size* a, Size* b) {
  const Size before = *b;
  std::vector<Size::Term> both = a->terms();
  both.insert(both.end(), b->terms().begin(), b->terms().end());
  Cancel(ContentOf(both), a, b);
  for (const Size* one : {b, a}) {  // a sum that is a factor of one and divides the other
    std::optional<Size> sum = ExactDiv(*one, ContentOf(one->terms()));
    if (sum && sum->terms().size() > 1) Cancel(*sum, a, b);
  }
  // A factor may be negative, as what `ceil_div` is made of; the divisor is not to become so.
  bool is_negative = std::all_of(b->terms().begin(), b->terms().end(),
                                 [](const Size::Term& term) { return term.coefficient.num < 0; });
  if (is_negative && !(*b == before)) *a = *a * Size(-1), *b = *b * Size(-1);
}

Size Quotient(const Size& a, const Size& b) {
  std::optional<Rational> x = a.AsRational(), y = b.AsRational();
  if (x && y) {
    std::optional<Rational> exact = Lowest(Wide{x->num} * y->den, Wide{x->den} * y->num);
    return exact ? Size(FloorOf(*exact)) : SizeBuilder::TooLarge();
  }
  std::optional<Size> whole = ExactDiv(a, b);
  if (whole && whole->IsWhole()) return *whole;
  auto [quotient, rest] = PullOut(a, b);
  // What is left of the number goes between 0 and b.
  if (y && y->num > 0 && y->den == 1 && !rest.terms().empty() && rest.terms().back().monomial.empty()) {
    int64_t carried = FloorOf(
        *Lowest(rest.terms().back().coefficient.num, Wide{rest.terms().back().coefficient.den} * y->num));
    quotient = quotient + Size(carried);
    rest = rest - Size(carried) * b;
  }
  if (rest.terms().empty()) return quotient;
  if (rest.AsRational() && y) return quotient + FloorDiv(rest, b);
  SizeAtom atom;
  atom.kind = SizeAtom::Kind::kFloorDiv;
  atom.operands = {rest, b};
  return quotient + SizeBuilder::Atom(std::move(atom));
}

}  // namespace

Size FloorDiv(const Size& a, const Size& b) {
  if (a.terms().empty() || b.terms().empty()) return Size(0);
  Size numerator = a, denominator = b;
  CancelCommonFactor(&numerator, &denominator);
  return Quotient(numerator, denominator);
}

Size Mod(const Size& a, const Size& b) {
  if (b.terms().empty()) return Size(0);
  Size quotient = Quotient(a, b);
  Size rest = a - quotient * b;
  for (const Size::Term& term : quotient.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind != SizeAtom::Kind::kFloorDiv) continue;
      SizeAtom mod;  // a - ((a div b) * b) is the remainder of what was not pulled out
      mod.kind = SizeAtom::Kind::kMod;
      mod.operands = atom->operands;
      if (mod.operands[1] == b && Size(a - (quotient - SizeBuilder::Atom(atom)) * b) == mod.operands[0]) {
        return SizeBuilder::Atom(std::move(mod));
      }
    }
  }
  return rest;
}

namespace {

Size Extreme(const Size& a, const Size& b, SizeAtom::Kind kind) {
  if (std::optional<Rational> difference = (a - b).AsRational()) {
    return (difference->num < 0) == (kind == SizeAtom::Kind::kMin) ? a : b;
  }
  SizeAtom atom;
  atom.kind = kind;
  atom.operands = {a, b};
  if (Compare(a, b) > 0) std::swap(atom.operands[0], atom.operands[1]);
  return SizeBuilder::Atom(std::move(atom));
}

}  // namespace

Size Minimum(const Size& a, const Size& b) { return Extreme(a, b, SizeAtom::Kind::kMin); }
Size Maximum(const Size& a, const Size& b) { return Extreme(a, b, SizeAtom::Kind::kMax); }

Size Floor(const Size& a) {
  Size whole, rest;
  for (const Size::Term& term : a.terms()) {
    Size single = SizeBuilder::Of({term});
    (SizeBuilder::IsWhole(term) ? whole : rest) = (SizeBuilder::IsWhole(term) ? whole : rest) + single;
  }
  if (rest.terms().empty()) return whole;
  if (std::optional<Rational> number = rest.AsRational()) return whole + Size(FloorOf(*number));
  SizeAtom atom;
  atom.kind = SizeAtom::Kind::kFloor;
  atom.operands = {rest};
  return whole + SizeBuilder::Atom(std::move(atom));
}

Size Size::Substitute(const std::map<int, Size>& values) const {
  Size sum;
  for (const Term& term : terms_) {
    Size product = FromRational(term.coefficient);
    for (const auto& [atom, power] : term.monomial) {
      Size factor;
      auto operand = [&, &atom = atom](int i) { return atom->operands[i].Substitute(values); };
      switch (atom->kind) {
        case SizeAtom::Kind::kSymbol: {
          auto found = values.find(atom->id);
          factor = found != values.end() ? found->second : SizeBuilder::Atom(atom);
          break;
        }
        case SizeAtom::Kind::kFloorDiv:
          factor = FloorDiv(operand(0), operand(1));
          break;
        case SizeAtom::Kind::kMod:
          factor = Mod(operand(0), operand(1));
          break;
        case SizeAtom::Kind::kMin:
          factor = Minimum(operand(0), operand(1));
          break;
        case SizeAtom::Kind::kMax:
          factor = Maximum(operand(0), operand(1));
          break;
        case SizeAtom::Kind::kFloor:
          factor = Floor(operand(0));
          break;
        case SizeAtom::Kind::kFloorReal:
          factor = FloorReal(atom->real, operand(0), atom->offset);
          break;
      }
      for (int i = 0; i < power; ++i) product = product * factor;
    }
    sum = sum + product;
  }
  return sum;
}

std::optional<int64_t> Size::Evaluate(const std::map<int, int64_t>& values) const {
  std::map<int, Size> sizes;
  for (const auto& [id, value] : values) sizes.emplace(id, Size(value));
  return Substitute(sizes).AsInteger();
}

namespace {

std::string AtomText(const SizeAtom& atom) {
  auto operand = [&](int i, bool product) {
    const Size& size = atom.operands[i];
    bool simple = size.terms().size() <= 1 && (!product || size.IsBareSymbol() || size.AsInteger());
    return simple ? size.ToString() : absl::StrCat("(", size.ToString(), ")");
  };
  switch (atom.kind) {
    case SizeAtom::Kind::kSymbol:
      return atom.name;
    case SizeAtom::Kind::kFloorDiv:
      return absl::StrCat(operand(0, false), " div ", operand(1, true));
    case SizeAtom::Kind::kMod:
      return absl::StrCat(operand(0, false), " % ", operand(1, true));
    case SizeAtom::Kind::kMin:
    case SizeAtom::Kind::kMax:
      return absl::StrCat(atom.kind == SizeAtom::Kind::kMin ? "minimum(" : "maximum(",
                          atom.operands[0].ToString(), ", ", atom.operands[1].ToString(), ")");
    case SizeAtom::Kind::kFloor:
      return absl::StrCat("floor(", atom.operands[0].ToString(), ")");
    case SizeAtom::Kind::kFloorReal: {
      std::string text = absl::StrCat("floor(", operand(0, true), "*", atom.real);
      if (atom.offset != 0) absl::StrAppend(&text, atom.offset > 0 ? " + " : " - ", std::abs(atom.offset));
      return text + ")";
    }
  }
  return "";
}

std::string TermText(const Size::Term& term, bool alone) {
  Rational c = term.coefficient;
  uint64_t magnitude = c.num < 0 ? 0 - static_cast<uint64_t>(c.num) : c.num;
  std::vector<std::string> factors;
  if (magnitude != 1 || term.monomial.empty()) factors.push_back(absl::StrCat(magnitude));
  for (const auto& [atom, power] : term.monomial) {
    bool infix = atom->kind == SizeAtom::Kind::kFloorDiv || atom->kind == SizeAtom::Kind::kMod;
    bool single = alone && c == Rational{1, 1} && term.monomial.size() == 1 && power == 1;
    std::string text = AtomText(*atom);
    if (infix && !single) text = absl::StrCat("(", text, ")");
    if (power > 1) absl::StrAppend(&text, "^", power);
    factors.push_back(text);
  }
  std::string text = absl::StrJoin(factors, "*");
  return c.den == 1 ? text : absl::StrCat(text, "/", c.den);
}

}  // namespace

std::string Size::ToString() const {
  if (terms_.empty()) return "0";
  // A number or another positive term first where the leading one is negative: `4 - H`, not `-H + 4`.
  std::vector<Term> order = terms_;
  std::stable_partition(order.begin(), order.end(),
                        [](const Term& term) { return term.coefficient.num > 0; });
  std::string text;
  for (size_t i = 0; i < order.size(); ++i) {
    bool negative = order[i].coefficient.num < 0;
    if (i > 0) {
      absl::StrAppend(&text, negative ? " - " : " + ");
    } else if (negative) {
      absl::StrAppend(&text, "-");
    }
    absl::StrAppend(&text, TermText(order[i], order.size() == 1));
  }
  return text;
}

}  // namespace weft::dsl
