#include "compiler/driver/tolerances.h"

#include <map>
#include <string>
#include <utility>

#include "compiler/driver/equation_names.h"
#include "mlir/IR/Builders.h"
#include "passes/winograd/passes.h"

namespace weft::driver {

void SetTolerances(mlir::ModuleOp module, const dsl::Program& program,
                   const std::vector<ScheduleSource>& sources) {
  using Strength = std::pair<size_t, int>;  // source, then closeness of the name
  std::map<std::string, std::pair<Strength, double>> tolerances;
  EquationNames names;
  names.Add(program);
  for (size_t source = 0; source < sources.size(); ++source) {
    for (const backends::WrittenSchedule& block : sources[source].blocks) {
      if (!block.tolerance) continue;
      EquationNames::Match match = names.Find(block.path, sources[source].scope);
      Strength strength{source, match.closeness};
      for (const std::string& path : match.paths) {
        auto [known, is_new] = tolerances.try_emplace(path, strength, *block.tolerance);
        if (!is_new && known->second.first <= strength) known->second = {strength, *block.tolerance};
      }
    }
  }
  if (tolerances.empty()) return;
  mlir::Builder builder(module.getContext());
  llvm::SmallVector<mlir::NamedAttribute> entries;
  for (const auto& [path, tolerance] : tolerances)
    entries.push_back(builder.getNamedAttr(path, builder.getF64FloatAttr(tolerance.second)));
  module->setAttr(passes::kTolerances, builder.getDictionaryAttr(entries));
}

}  // namespace weft::driver
