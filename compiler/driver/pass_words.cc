#include "compiler/driver/pass_words.h"

#include <algorithm>
#include <map>
#include <utility>

#include "compiler/driver/equation_names.h"
#include "mlir/IR/Builders.h"
#include "passes/analysis/packing.h"
#include "passes/fusion/passes.h"
#include "passes/winograd/passes.h"

namespace weft::driver {
namespace {

// By path of an equation, the strongest of what is said of it.
class Words {
 public:
  using Strength = std::pair<size_t, int>;  // source, then closeness of the name

  void Say(const std::string& path, Strength strength, mlir::Attribute word) {
    auto [known, is_new] = words_.try_emplace(path, strength, word);
    if (!is_new && known->second.first <= strength) known->second = {strength, word};
  }

  void KeepWith(mlir::ModuleOp module, llvm::StringRef name) const {
    llvm::SmallVector<mlir::NamedAttribute> entries;
    for (const auto& [path, word] : words_)
      entries.emplace_back(mlir::StringAttr::get(module.getContext(), path), word.second);
    if (!entries.empty()) module->setAttr(name, mlir::DictionaryAttr::get(module.getContext(), entries));
  }

 private:
  std::map<std::string, std::pair<Strength, mlir::Attribute>> words_;
};

// By path and operand.
class PackingWords {
 public:
  void Say(const backends::WrittenSchedule& block, const EquationNames::Match& match, size_t source) {
    Words::Strength strength{source, match.closeness};
    for (const std::string& path : match.paths) {
      for (const backends::PackWord& word : block.packs) {
        auto [known, is_new] = words_.try_emplace({path, word.packing.operand}, strength, word.packing);
        if (!is_new && known->second.first <= strength) known->second = {strength, word.packing};
      }
    }
  }

  void KeepWith(mlir::ModuleOp module) const {
    passes::PathEntries entries;
    for (const auto& [place, word] : words_)
      entries.Add(place.first, passes::ToAttribute(module.getContext(), word.second));
    entries.KeepWith(module, passes::kPacking);
  }

 private:
  std::map<std::pair<std::string, std::string>, std::pair<Words::Strength, passes::Packing>> words_;
};

}  // namespace

void SetPassWords(mlir::ModuleOp module, const dsl::Program& program,
                  const std::vector<ScheduleSource>& sources) {
  mlir::Builder builder(module.getContext());
  Words tolerances, fusion;
  PackingWords packing;
  EquationNames names;
  names.Add(program);
  for (size_t source = 0; source < sources.size(); ++source) {
    for (const backends::WrittenSchedule& block : sources[source].blocks) {
      if (!block.packs.empty())
        packing.Say(block, EquationsMeant(names, block.path, sources[source].scope), source);
      if (!block.tolerance && !block.fusion) continue;
      EquationNames::Match match = names.Find(block.path, sources[source].scope);
      Words::Strength strength{source, match.closeness};
      std::vector<std::string> meant;
      if (block.fusion && !block.fusion->into.empty())
        meant = names.Find(block.fusion->into, sources[source].scope).paths;
      for (const std::string& path : match.paths) {
        if (block.tolerance) tolerances.Say(path, strength, builder.getF64FloatAttr(*block.tolerance));
        if (!block.fusion) continue;
        std::string into = NearestEquation(path, meant);
        if (into.empty() == block.fusion->into.empty())
          fusion.Say(path, strength, builder.getStringAttr(into));
      }
    }
  }
  tolerances.KeepWith(module, passes::kTolerances);
  fusion.KeepWith(module, passes::kFusion);
  packing.KeepWith(module);
}

EquationNames::Match EquationsMeant(const EquationNames& names, const std::string& name,
                                    const dsl::sema::Module* scope) {
  EquationNames::Match match = names.Find(name, scope);
  size_t dot = name.rfind('.');
  if (!match.paths.empty() || !match.choices.empty() || dot == std::string::npos) return match;
  match = names.Find(name.substr(0, dot), scope);
  for (std::string& path : match.paths) path += name.substr(dot);
  return match;
}

std::string NearestEquation(const std::string& path, const std::vector<std::string>& meant) {
  std::string nearest;
  size_t most = 0;
  bool is_only = true;
  for (const std::string& other : meant) {
    // Up to the last dot of what both begin with.
    auto differ = std::mismatch(path.begin(), path.end(), other.begin(), other.end()).first;
    size_t shared = std::string(path.begin(), differ).rfind('.') + 1;
    if (nearest.empty() || shared > most) {
      nearest = other, most = shared, is_only = true;
    } else if (shared == most) {
      is_only = false;
    }
  }
  return is_only ? nearest : "";
}

}  // namespace weft::driver
