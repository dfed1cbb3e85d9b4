#include "compiler/lower/variants.h"

#include <algorithm>
#include <set>

namespace weft::lower {

namespace {

using dsl::Size;

// Whether the symbol `id` occurs in the size.
bool Mentions(const Size& size, int id) {
  for (const Size::Term& term : size.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == dsl::SizeAtom::Kind::kSymbol && atom->id == id) return true;
      for (const Size& operand : atom->operands)
        if (Mentions(operand, id)) return true;
    }
  }
  return false;
}

bool DependsOn(const dsl::Method& method, int id) {
  return std::any_of(method.inputs.begin(), method.inputs.end(), [&](const dsl::Port& port) {
    return std::any_of(port.shape.begin(), port.shape.end(),
                       [&](const Size& size) { return Mentions(size, id); });
  });
}

}  // namespace

std::vector<Variant> VariantsOf(const dsl::Program& program, size_t number) {
  std::vector<Variant> variants;
  std::set<std::map<std::string, int64_t>> known{{}};
  for (const dsl::Program& candidate : program.variants) {
    Variant variant{&candidate, {}};
    for (const dsl::Dimension& dimension : program.dimensions) {
      auto size = candidate.sizes.find(dimension.name);
      if (size != candidate.sizes.end() && DependsOn(program.methods[number], dimension.id))
        variant.sizes.insert(*size);
    }
    if (known.insert(variant.sizes).second) variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace weft::lower
