#include "compiler/driver/check_fusion.h"

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "compiler/driver/equation_names.h"
#include "compiler/driver/pass_words.h"
#include "compiler/ir/weft_dialect.h"
#include "passes/fusion/passes.h"

namespace weft::driver {
namespace {

using backends::WrittenSchedule;

class Checker {
 public:
  Checker(mlir::ModuleOp module, const dsl::Program& program, dsl::Diagnostics& diagnostics)
      : wanted_(module->getAttrOfType<mlir::DictionaryAttr>(passes::kFusion)), diagnostics_(diagnostics) {
    names_.Add(program);
    module.walk([&](ir::LaunchOp launch) { Add(launch); });
  }

  void Check(const WrittenSchedule& block, const ScheduleSource& source) {
    const std::string& other = block.fusion->into;
    EquationNames::Match match = names_.Find(block.path, source.scope), meant;
    if (match.paths.empty()) return;  // of another entry, or of what an import declares and nothing uses
    if (!other.empty()) {
      meant = names_.Find(other, source.scope);
      if (meant.paths.empty() && meant.choices.empty()) {
        WrittenSchedule named;
        named.path = other, named.span = block.fusion->span;
        return ReportUnknownEquation(named, names_, diagnostics_);
      }
    }
    for (const std::string& path : match.paths) {
      std::string into = NearestEquation(path, meant.paths);
      if (into.empty() && !other.empty()) {
        diagnostics_.Report(block.fusion->span, dsl::kAmbiguousEquation, other,
                            "one of several that are as near");
        return;
      }
      // A stronger source has said something else.
      auto word = wanted_ ? wanted_.getAs<mlir::StringAttr>(path) : nullptr;
      if (!word || word.getValue() != into) continue;
      if (!IsDone(path, into) && source.about != ScheduleSource::Scope::kImported)
        return Report(*block.fusion, path, into);
    }
  }

 private:
  void Add(ir::LaunchOp launch) {
    auto paths = launch->getAttrOfType<mlir::ArrayAttr>("paths");
    auto fused = launch->getAttrOfType<mlir::ArrayAttr>("fused");
    if (!paths) return;
    for (auto [i, path] : llvm::enumerate(paths.getAsValueRange<mlir::StringAttr>())) {
      launches_[path.str()].insert(launch);
      if (!fused) continue;
      for (llvm::StringRef part : mlir::cast<mlir::ArrayAttr>(fused[i]).getAsValueRange<mlir::StringAttr>())
        launches_[part.str()].insert(launch);
    }
  }

  bool IsDone(const std::string& path, const std::string& into) {
    const std::set<mlir::Operation*>& own = launches_[path];
    if (into.empty())
      return !own.empty() && llvm::all_of(own, [](mlir::Operation* launch) {
        return launch->getAttrOfType<mlir::ArrayAttr>("paths").size() == 1;
      });
    const std::set<mlir::Operation*>& others = launches_[into];
    return llvm::any_of(own, [&](mlir::Operation* launch) { return others.contains(launch); });
  }

  void Report(const backends::FusionWord& word, const std::string& path, const std::string& into) {
    std::string why =
        into.empty() ? "it only moves elements that others read where they are" : Obstacle(path, into);
    if (why.empty()) why = Obstacle(into, path);
    if (why.empty()) why = "none of them reads the other";
    diagnostics_.Report(word.span, dsl::kIllegalSchedule,
                        into.empty()
                            ? absl::StrCat("`", path, "` has no kernel: ", why)
                            : absl::StrCat("`", path, "` cannot be in the kernel of `", into, "`: ", why));
  }

  // Why what computes `consumer` is not one with what computes `producer`; empty: it does not read that.
  std::string Obstacle(const std::string& producer, const std::string& consumer) {
    for (mlir::Operation* launch : launches_[consumer]) {
      auto apart = launch->getAttrOfType<mlir::DictionaryAttr>("apart");
      auto why = apart ? apart.getAs<mlir::StringAttr>(producer) : nullptr;
      if (why) return why.str();
    }
    return "";
  }

  mlir::DictionaryAttr wanted_;
  dsl::Diagnostics& diagnostics_;
  EquationNames names_;
  std::map<std::string, std::set<mlir::Operation*>> launches_;  // by path of what they compute
};

}  // namespace

void CheckFusion(mlir::ModuleOp module, const dsl::Program& program,
                 const std::vector<ScheduleSource>& sources, dsl::Diagnostics& diagnostics) {
  std::optional<Checker> checker;
  for (const ScheduleSource& source : sources) {
    for (const WrittenSchedule& block : source.blocks) {
      if (!block.fusion) continue;
      if (!checker) checker.emplace(module, program, diagnostics);
      checker->Check(block, source);
    }
  }
}

}  // namespace weft::driver
