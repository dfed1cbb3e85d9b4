#include "compiler/driver/packings.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "compiler/driver/equation_names.h"
#include "compiler/driver/pass_words.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::driver {
namespace {

using passes::Packing;
using passes::PackingProblem;

// Of one function, by path. An operand that is read in two orders has none that could be said.
std::map<std::string, std::vector<Packing>> PackingsOf(mlir::func::FuncOp function) {
  std::map<std::string, std::vector<Packing>> packings;
  auto all = function->getAttrOfType<mlir::DictionaryAttr>(passes::kPacked);
  for (mlir::NamedAttribute entry : all ? all.getValue() : llvm::ArrayRef<mlir::NamedAttribute>()) {
    std::vector<Packing>& known = packings[entry.getName().str()];
    for (Packing& packing : passes::PackingsOf(function, passes::kPacked, entry.getName()))
      if (std::find(known.begin(), known.end(), packing) == known.end()) known.push_back(std::move(packing));
    std::set<std::string> operands;
    for (const Packing& packing : known) operands.insert(packing.operand);
    if (operands.size() != known.size()) known.clear();
  }
  return packings;
}

std::set<std::string> ComputedIn(mlir::func::FuncOp function) {
  std::set<std::string> paths;
  function.walk([&](ir::LaunchOp launch) {
    auto list = launch->getAttrOfType<mlir::ArrayAttr>("paths");
    if (!list) return;
    for (llvm::StringRef path : list.getAsValueRange<mlir::StringAttr>()) paths.insert(path.str());
  });
  return paths;
}

class PackingChecker {
 public:
  PackingChecker(mlir::ModuleOp module, const dsl::Program& program, dsl::Diagnostics& diagnostics)
      : module_(module), diagnostics_(diagnostics) {
    names_.Add(program);
  }

  void Check(const backends::WrittenSchedule& block, const ScheduleSource& source) {
    std::vector<std::string> paths = EquationsMeant(names_, block.path, source.scope).paths;
    if (source.about == ScheduleSource::Scope::kImported) return;
    for (const backends::PackWord& word : block.packs) Check(word, paths);
  }

 private:
  // Where a declaration is meant it is enough that one of its instances has such weights.
  void Check(const backends::PackWord& word, const std::vector<std::string>& paths) {
    std::optional<PackingProblem> problem;
    bool is_wanted = false;
    for (const std::string& path : paths) {
      if (!Contains(passes::PackingsOf(module_, passes::kPacking, path), word.packing)) continue;
      is_wanted = true;
      for (auto function : module_.getOps<mlir::func::FuncOp>()) {
        if (Contains(passes::PackingsOf(function, passes::kPacked, path), word.packing)) return;
        for (const PackingProblem& found : passes::PackingProblemsOf(function, path))
          if (!problem && found.operand == word.packing.operand) problem = found;
      }
    }
    if (problem) {
      Report(word, *problem);
    } else if (is_wanted) {
      diagnostics_.Report(word.span, dsl::kIllegalSchedule,
                          absl::StrCat("`", paths[0], "` reads no weights when a program runs: it became a ",
                                       "part of others, or is computed when a program is created"));
    }
  }

  static bool Contains(const std::vector<Packing>& list, const Packing& packing) {
    return std::find(list.begin(), list.end(), packing) != list.end();
  }

  void Report(const backends::PackWord& word, const PackingProblem& problem) {
    bool of_part = problem.place >= 0 && problem.place < static_cast<int64_t>(word.part_spans.size());
    dsl::Span span = of_part ? word.part_spans[problem.place] : word.operand_span;
    if (problem.missing.empty()) {
      diagnostics_.Report(span, dsl::kIllegalSchedule, problem.text);
      return;
    }
    dsl::DiagnosticBuilder report =
        diagnostics_.Report(span, of_part ? dsl::kUnknownLoop : dsl::kIllegalSchedule, problem.text);
    report.SuggestNearest(problem.missing, problem.known);
    if (!problem.known.empty())
      report.Note(absl::StrCat(of_part ? "it is read by " : "it reads ", absl::StrJoin(problem.known, ", ")));
  }

  mlir::ModuleOp module_;
  dsl::Diagnostics& diagnostics_;
  EquationNames names_;
};

}  // namespace

std::map<std::string, std::vector<Packing>> PackingsOf(mlir::ModuleOp module) {
  std::map<std::string, std::vector<Packing>> packings;
  std::set<std::string> differing;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    std::map<std::string, std::vector<Packing>> own = PackingsOf(function);
    for (const std::string& path : ComputedIn(function)) {
      auto [known, is_new] = packings.try_emplace(path, own[path]);
      if (!is_new && known->second != own[path]) differing.insert(path);
    }
  }
  for (const std::string& path : differing) packings.erase(path);
  return packings;
}

void CheckPackings(mlir::ModuleOp module, const dsl::Program& program,
                   const std::vector<ScheduleSource>& sources, dsl::Diagnostics& diagnostics) {
  std::optional<PackingChecker> checker;
  for (const ScheduleSource& source : sources) {
    for (const backends::WrittenSchedule& block : source.blocks) {
      if (block.packs.empty()) continue;
      if (!checker) checker.emplace(module, program, diagnostics);
      checker->Check(block, source);
    }
  }
}

}  // namespace weft::driver
