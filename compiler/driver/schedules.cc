#include "compiler/driver/schedules.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/schedule/check_schedule.h"
#include "compiler/driver/canonical_kernel.h"
#include "compiler/driver/check_lengths.h"
#include "compiler/driver/packings.h"
#include "compiler/ir/variant.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/fusion/passes.h"

namespace weft::driver {

namespace {

using backends::Directive;
using backends::DirectiveKind;
using backends::WrittenSchedule;

std::vector<ir::LaunchOp> LaunchesOf(mlir::ModuleOp module, llvm::StringRef kernel) {
  std::vector<ir::LaunchOp> launches;
  module.walk([&](ir::LaunchOp launch) {
    if (launch.getCallee() == kernel) launches.push_back(launch);
  });
  return launches;
}

std::vector<std::string> Texts(mlir::ArrayAttr texts) {
  std::vector<std::string> list;
  if (!texts) return list;
  for (mlir::Attribute text : texts) list.push_back(mlir::cast<mlir::StringAttr>(text).str());
  return list;
}

// What the equations of a launch are called in the text, and the names that NameEquations made of that.
std::vector<std::string> WrittenPathsOf(ir::LaunchOp launch) {
  return Texts(launch->getAttrOfType<mlir::ArrayAttr>("paths"));
}
std::vector<std::string> PathsOf(ir::LaunchOp launch) {
  return Texts(launch->getAttrOfType<mlir::ArrayAttr>("names"));
}

// Not by the order of kernels: by what people look for. What runs with every call comes before what is
// prepared once, what runs at any size before what is for hot ones, much work before little.
struct Rank {
  bool prepares;
  std::string variant;  // its sizes, `B1_T128`
  int64_t flops;
  bool operator<(const Rank& other) const {
    return std::tie(prepares, variant, other.flops) < std::tie(other.prepares, other.variant, flops);
  }
};

Rank RankOf(ir::LaunchOp launch) {
  auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<ir::KernelOp>(launch, launch.getCalleeAttr());
  auto flops = kernel ? kernel->getAttrOfType<mlir::IntegerAttr>("flops") : nullptr;
  auto function = launch->getParentOfType<mlir::func::FuncOp>();
  bool prepares = function && (function.isPrivate() || function->hasAttr("weft.initial"));
  std::string variant = function ? ir::VariantSizes(function, "", "_") : "";
  return {prepares, variant, flops ? flops.getInt() : 0};
}

// A kernel takes the names of what it is launched for first.
void TakePaths(ir::KernelOp kernel, const std::vector<std::string>& paths) {
  size_t i = 0;
  for (ir::EquationOp equation : kernel.getBody().front().getOps<ir::EquationOp>())
    equation.setPath(paths[i++]);
  kernel->setAttr("path", mlir::StringAttr::get(kernel.getContext(), paths.back()));
}

// ---- Binding

// The directives for one equation of one launch, by what they overrule: source, then closeness of the name.
struct Layer {
  std::vector<Directive> directives;
  bool is_whole = false;  // nothing of what is below stays
};
using Layers = std::map<std::pair<size_t, int>, Layer>;

class Binder {
 public:
  Binder(std::vector<Kernel>& kernels, mlir::ModuleOp module, const dsl::Program& program,
         const backends::Target& target, const std::vector<ScheduleSource>& sources,
         dsl::Diagnostics& diagnostics)
      : kernels_(kernels), module_(module), target_(target), sources_(sources), diagnostics_(diagnostics) {
    names_.Add(program);
    for (const Kernel& kernel : kernels_) {
      for (ir::LaunchOp launch : LaunchesOf(module_, kernel.name)) {
        auto fused = launch->getAttrOfType<mlir::ArrayAttr>("fused");
        std::vector<std::string> written = WrittenPathsOf(launch);
        for (auto [i, path] : llvm::enumerate(PathsOf(launch))) {
          names_.AddComputed(path, written[i]);
          computed_[path] = kernel.op;
          if (!fused) continue;
          for (const std::string& part : Texts(mlir::cast<mlir::ArrayAttr>(fused[i])))
            holders_[part].push_back(path);
        }
      }
    }
  }

  void Run() {
    for (size_t source = 0; source < sources_.size(); ++source) {
      std::vector<const WrittenSchedule*> stale;
      std::set<std::string> bound;  // of equations for which another block was found nothing is said
      for (const WrittenSchedule& block : sources_[source].blocks) {
        if (block.kernel.empty()) {
          Bind(block, source);
        } else if (BindFound(block, source)) {
          bound.insert(block.path);
        } else {
          stale.push_back(&block);
        }
      }
      std::erase_if(stale, [&](const WrittenSchedule* block) { return bound.contains(block->path); });
      if (!stale.empty()) ReportStale(stale);
    }
    if (layers_.empty()) return;
    std::vector<Kernel> scheduled;
    for (const Kernel& kernel : kernels_) Apply(kernel, scheduled);
    kernels_ = std::move(scheduled);
    for (const Kernel& kernel : kernels_) {
      if (kernel.has_own_schedule) Check(kernel);
    }
  }

 private:
  void Bind(const WrittenSchedule& block, size_t source) {
    const dsl::sema::Module* scope = sources_[source].scope;
    ScheduleSource::Scope about = sources_[source].about;
    EquationNames::Match match = names_.Find(block.path, scope);
    if (!match.choices.empty()) {
      if (!block.SaysNothing())
        diagnostics_.Report(block.span, dsl::kAmbiguousEquation, block.path, Few(match.choices, "or"));
      return;
    }
    if (match.paths.empty()) {
      if (about == ScheduleSource::Scope::kProgram || names_.MayBePart(block.path, scope))
        ReportUnknownEquation(block, names_, diagnostics_);
      return;
    }
    bool is_bound = false;
    for (const std::string& path : match.paths) {
      if (!computed_.contains(path)) continue;
      std::vector<Directive>& layer = layers_[path][{source, match.closeness}].directives;
      layer.insert(layer.end(), block.directives.begin(), block.directives.end());
      is_bound = true;
    }
    // What is written out where it is read has been done.
    bool only_inlines = std::all_of(block.directives.begin(), block.directives.end(),
                                    [](const Directive& d) { return d.kind == DirectiveKind::kInline; });
    if (!is_bound && !only_inlines && about != ScheduleSource::Scope::kImported)
      ReportFused(block, match.paths[0]);
  }

  // A block that was found for one kernel is all of its equation's schedule. False: where it should be, there
  // is another.
  bool BindFound(const WrittenSchedule& block, size_t source) {
    EquationNames::Match match = names_.Find(block.path, sources_[source].scope);
    bool is_bound = false;
    for (const std::string& path : match.paths) {
      auto computed = computed_.find(path);
      if (computed == computed_.end() || FingerprintOf(computed->second) != block.kernel) continue;
      layers_[path][{source, match.closeness}] = {block.directives, true};
      is_bound = true;
    }
    // Where a block is about another entry nobody asks for it.
    bool is_asked_for = sources_[source].about == ScheduleSource::Scope::kProgram || !match.paths.empty();
    return is_bound || !is_asked_for;
  }

  const std::string& FingerprintOf(ir::KernelOp kernel) {
    std::string& fingerprint = fingerprints_[kernel.getOperation()];
    if (fingerprint.empty()) fingerprint = KernelFingerprint(kernel, target_);
    return fingerprint;
  }

  void ReportStale(const std::vector<const WrittenSchedule*>& stale) {
    dsl::DiagnosticBuilder report = diagnostics_.Report(stale[0]->span, dsl::kStaleSchedule, stale[0]->path);
    std::vector<std::string> others;
    for (size_t i = 1; i < stale.size(); ++i) others.push_back(stale[i]->path);
    if (!others.empty())
      report.Note(absl::StrCat("and so ", others.size() == 1 ? "is " : "are ", Few(others, "and")));
    report.Suggest("find it anew by `weft tune`, or leave out `for` to use it all the same");
  }

  // "`a`, `b` or 5 others".
  static std::string Few(const std::vector<std::string>& choices, absl::string_view word) {
    constexpr size_t kMost = 6;
    std::vector<std::string> shown;
    for (size_t i = 0; i < std::min(kMost, choices.size()); ++i)
      shown.push_back(absl::StrCat("`", choices[i], "`"));
    if (choices.size() > kMost) shown.push_back(absl::StrCat(choices.size() - kMost, " others"));
    std::string last = shown.back();
    shown.pop_back();
    return absl::StrCat(absl::StrJoin(shown, ", "), shown.empty() ? "" : absl::StrCat(" ", word, " "), last);
  }

  // The equations that compute what once was `path`.
  std::vector<std::string> HoldersOf(const std::string& path) const {
    std::set<std::string> seen{path}, found;
    std::vector<std::string> open{path};
    while (!open.empty()) {
      std::string next = open.back();
      open.pop_back();
      auto holders = holders_.find(next);
      if (holders == holders_.end()) continue;
      for (const std::string& holder : holders->second) {
        if (computed_.contains(holder)) found.insert(holder);
        if (seen.insert(holder).second) open.push_back(holder);
      }
    }
    return {found.begin(), found.end()};
  }

  void ReportFused(const WrittenSchedule& block, const std::string& path) {
    std::vector<std::string> holders = HoldersOf(path);
    if (holders.empty()) {
      diagnostics_.Report(block.span, dsl::kFusedEquation, path,
                          "it only renames, selects or moves elements that others read where they are");
      return;
    }
    std::vector<std::string> quoted;
    for (const std::string& holder : holders) quoted.push_back(absl::StrCat("`", holder, "`"));
    diagnostics_
        .Report(block.span, dsl::kFusedEquation, path,
                absl::StrCat("it is computed inside ", absl::StrJoin(quoted, " and ")))
        .Suggest(absl::StrCat("schedule ", quoted[0], holders.size() == 1 ? "" : " or another of them"));
  }

  // A kernel, or several by the schedules of its launches.
  void Apply(const Kernel& original, std::vector<Kernel>& scheduled) {
    struct Group {
      std::vector<backends::EquationSchedule> schedules;
      std::vector<ir::LaunchOp> launches;
      dsl::Span place;
      bool is_tuned = false;
    };
    std::string unchanged = backends::PrintSchedule({original.schedule.equations});
    std::map<std::string, Group> by_text;
    std::vector<std::string> order;
    if (original.schedule.equations.empty()) return scheduled.push_back(original);
    for (ir::LaunchOp launch : LaunchesOf(module_, original.name)) {
      std::vector<std::string> paths = PathsOf(launch);
      Group made = {original.schedule.equations, {}, {}, IsTuned(paths)};
      ApplyLayers(original, paths, made.schedules, made.place);
      if (!ir::VariantOf(launch->getParentOfType<mlir::func::FuncOp>()).empty())
        DropKnownLengths(original, made.schedules);
      PlaceInParts(original, made.schedules);
      std::string text = backends::PrintSchedule({made.schedules});
      // What is given back as it was printed is the default.
      if (text == unchanged) made.place = {}, made.is_tuned = false;
      auto [group, is_new] = by_text.try_emplace(text, std::move(made));
      group->second.launches.push_back(launch);
      if (is_new) order.push_back(text);
    }
    if (order.empty()) scheduled.push_back(original);
    for (size_t i = 0; i < order.size(); ++i) {
      Group& group = by_text[order[i]];
      Kernel kernel = original;
      if (i > 0) {
        kernel.op = kernel.op.clone();
        mlir::SymbolTable(module_).insert(kernel.op);
        kernel.name = kernel.op.getSymName().str();
        kernel.symbol = absl::StrCat("weft_kernel_", kernel.name);
      }
      TakePaths(kernel.op, PathsOf(group.launches[0]));
      kernel.schedule.equations = std::move(group.schedules);
      Rename(kernel.schedule, original, PathsOf(group.launches[0]));
      kernel.has_own_schedule = group.place.valid();
      kernel.is_tuned = group.is_tuned;
      kernel.schedule_place = group.place;
      for (ir::LaunchOp launch : group.launches) launch.setCallee(kernel.name);
      scheduled.push_back(std::move(kernel));
    }
  }

  bool IsTuned(const std::vector<std::string>& paths) const {
    return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
      auto layers = layers_.find(path);
      return layers != layers_.end() && std::any_of(layers->second.begin(), layers->second.end(),
                                                    [](const auto& layer) { return layer.second.is_whole; });
    });
  }

  // Directives name equations by the paths of the kernel's first launch; now it has another.
  static void Rename(backends::Schedule& schedule, const Kernel& original,
                     const std::vector<std::string>& paths) {
    for (size_t i = 0; i < paths.size(); ++i) {
      schedule.equations[i].path = paths[i];
      for (Directive& directive : schedule.equations[i].directives) {
        if (directive.kind != DirectiveKind::kAt && directive.kind != DirectiveKind::kTranspose) continue;
        for (size_t j = 0; j < paths.size(); ++j) {
          if (directive.names[0] == original.schedule.equations[j].path) {
            directive.names[0] = paths[j];
            break;
          }
        }
      }
    }
  }

  // `paths`: of what one launch computes.
  void ApplyLayers(const Kernel& kernel, const std::vector<std::string>& paths,
                   std::vector<backends::EquationSchedule>& schedules, dsl::Span& place) {
    for (size_t i = 0; i < paths.size(); ++i) {
      auto layers = layers_.find(paths[i]);
      if (layers == layers_.end()) continue;
      for (auto& [strength, layer] : layers->second) {
        std::vector<Directive> own = layer.directives;
        for (Directive& directive : own) ResolveEquation(kernel, paths, i, directive);
        if (!place.valid() && !own.empty()) place = own[0].span;
        if (layer.is_whole) {
          schedules[i].directives = std::move(own);
        } else {
          backends::Override(own, schedules[i]);
        }
      }
    }
  }

  // Where a hot size is compiled for, lengths are known that a schedule asks code for elsewhere.
  static void DropKnownLengths(const Kernel& kernel, std::vector<backends::EquationSchedule>& schedules) {
    backends::KernelView view = backends::ViewKernel(kernel.op);
    for (size_t i = 0; i < schedules.size(); ++i) {
      std::erase_if(schedules[i].directives, [&](const Directive& d) {
        if (d.kind != DirectiveKind::kSpecialize) return false;
        const backends::EquationLoops& loops = view.equations[i].loops;
        auto is_known = [&](const backends::LoopInfo& loop) {
          return loop.name == d.names[0] && loop.extent >= 0;
        };
        return llvm::any_of(loops.domain, is_known) || llvm::any_of(loops.reductions, is_known);
      });
    }
  }

  // A place in a loop that is split means its innermost part around the tiles.
  static void PlaceInParts(const Kernel& kernel, std::vector<backends::EquationSchedule>& schedules) {
    backends::KernelView view = backends::ViewKernel(kernel.op);
    for (size_t i = 0; i < schedules.size(); ++i) {
      for (Directive& directive : schedules[i].directives) {
        bool has_place = directive.kind == DirectiveKind::kAt ||
                         directive.kind == DirectiveKind::kTranspose || directive.kind == DirectiveKind::kPad;
        if (!directive.span.valid() || !has_place || directive.names.empty()) continue;
        bool is_own = directive.names.size() == 1 || directive.names[0].empty();
        for (size_t j = 0; j < schedules.size(); ++j) {
          if (is_own ? j != i : schedules[j].path != directive.names[0]) continue;
          auto nest = backends::ResolveLoops(view.equations[j].loops, schedules[j]);
          if (nest.ok()) PlaceInPart(directive.names.back(), schedules[j].directives, nest->outer);
        }
      }
    }
  }

  static void PlaceInPart(std::string& loop, const std::vector<Directive>& directives,
                          const std::vector<std::string>& outer) {
    for (backends::LoopPart part : {backends::LoopPart::kInner, backends::LoopPart::kOuter}) {
      std::string name = backends::LoopWithin(loop, directives, part);
      if (std::find(outer.begin(), outer.end(), name) == outer.end()) continue;
      loop = name;
      return;
    }
  }

  // The equation that a directive names, as the kernel calls it.
  static void ResolveEquation(const Kernel& kernel, const std::vector<std::string>& paths, size_t equation,
                              Directive& directive) {
    if (directive.kind != DirectiveKind::kAt && directive.kind != DirectiveKind::kTranspose) return;
    if (directive.names[0].empty()) return;
    int found = backends::FindEquation(paths, equation, directive.names[0]);
    if (found >= 0) directive.names[0] = kernel.schedule.equations[found].path;
  }

  void Check(const Kernel& kernel) {
    CheckLengths(kernel, LaunchesOf(module_, kernel.name), diagnostics_);
    for (auto& [equation, problem] :
         backends::CheckSchedule(backends::ViewKernel(kernel.op), kernel.schedule)) {
      dsl::Span span = problem.span;
      for (const Directive& directive : kernel.schedule.equations[equation].directives) {
        if (!span.valid()) span = directive.span;
      }
      if (!span.valid()) span = kernel.schedule_place;
      if (problem.missing.empty()) {
        diagnostics_.Report(span, dsl::kIllegalSchedule, problem.text);
        continue;
      }
      dsl::DiagnosticBuilder report = diagnostics_.Report(span, dsl::kUnknownLoop, problem.text);
      report.SuggestNearest(problem.missing, problem.known);
      report.Note(problem.known.empty()
                      ? "it has none"
                      : absl::StrCat(problem.known.size() == 1 ? "its loop is " : "its loops are ",
                                     absl::StrJoin(problem.known, ", ")));
      NotePart(kernel.schedule.equations[equation].path, problem.missing, report);
    }
  }

  // A loop of the equation as it is written may be one of a part that is computed on its own.
  void NotePart(const std::string& path, const std::string& loop, dsl::DiagnosticBuilder& report) {
    for (const Kernel& kernel : kernels_) {
      for (const backends::EquationView& equation : backends::ViewKernel(kernel.op).equations) {
        if (equation.loops.path.rfind(path + ".", 0) != 0) continue;
        for (const auto* loops : {&equation.loops.domain, &equation.loops.reductions}) {
          for (const backends::LoopInfo& info : *loops) {
            if (info.name == loop)
              report.Note(absl::StrCat("`", loop, "` is a loop of `", equation.loops.path, "`"));
          }
        }
      }
    }
  }

  std::vector<Kernel>& kernels_;
  mlir::ModuleOp module_;
  const backends::Target& target_;
  const std::vector<ScheduleSource>& sources_;
  dsl::Diagnostics& diagnostics_;
  EquationNames names_;
  std::map<std::string, ir::KernelOp> computed_;             // what kernels compute, by path
  std::map<std::string, std::vector<std::string>> holders_;  // path -> paths of equations that it is part of
  std::map<std::string, Layers> layers_;                     // by path
  std::map<mlir::Operation*, std::string> fingerprints_;
};

// Which kernels equations are in because schedules say so.
std::string PrintFusion(mlir::ModuleOp module) {
  std::string text;
  auto words = module->getAttrOfType<mlir::DictionaryAttr>(passes::kFusion);
  for (mlir::NamedAttribute entry : words ? words.getValue() : llvm::ArrayRef<mlir::NamedAttribute>()) {
    llvm::StringRef into = mlir::cast<mlir::StringAttr>(entry.getValue()).getValue();
    absl::StrAppend(&text, backends::PrintFusion(entry.getName().str(), into.str()), "\n");
  }
  return text;
}

// The shortest end of the path of equation `target` that means it where equation `from` says it.
std::string ShortName(const std::vector<std::string>& paths, size_t from, size_t target) {
  const std::string& path = paths[target];
  for (size_t dot = path.rfind('.'); dot != std::string::npos && dot > 0; dot = path.rfind('.', dot - 1)) {
    std::string name = path.substr(dot + 1);
    if (backends::FindEquation(paths, from, name) == static_cast<int>(target)) return name;
  }
  return path;
}

using Packings = std::map<std::string, std::vector<passes::Packing>>;  // by path

// How the weights of equation `i` of a kernel lie, if all of its launches say that in the same words and by
// the names that the text has.
std::vector<passes::Packing> PackingsIn(const std::vector<ir::LaunchOp>& launches, size_t i,
                                        const Packings& packings) {
  std::optional<std::vector<passes::Packing>> common;
  for (ir::LaunchOp launch : launches) {
    std::string path = WrittenPathsOf(launch)[i];
    auto own = packings.find(path);
    if (own == packings.end() || path != PathsOf(launch)[i]) return {};
    if (!common) common = own->second;
    if (*common != own->second) return {};
  }
  return common.value_or(std::vector<passes::Packing>());
}

// All instances of an equation, under the names that a directive of any of them may use.
std::string Print(const Kernel& kernel, const std::string& fingerprint, const Packings& packings) {
  std::vector<ir::LaunchOp> launches = LaunchesOf(kernel.op->getParentOfType<mlir::ModuleOp>(), kernel.name);
  std::vector<std::string> own;
  for (const auto& equation : kernel.schedule.equations) own.push_back(equation.path);
  std::string text = absl::StrCat("// kernel ", kernel.name, kernel.is_tuned ? ", tuned" : "", "\n");
  for (size_t i = 0; i < own.size(); ++i) {
    std::vector<std::string> paths;
    for (ir::LaunchOp launch : launches) {
      std::string path = PathsOf(launch)[i];
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }
    std::vector<Directive> directives = kernel.schedule.equations[i].directives;
    for (Directive& directive : directives) {
      bool names_equation =
          directive.kind == DirectiveKind::kAt || directive.kind == DirectiveKind::kTranspose;
      auto target = names_equation ? std::find(own.begin(), own.end(), directive.names[0]) : own.end();
      if (target != own.end()) directive.names[0] = ShortName(own, i, target - own.begin());
    }
    std::vector<std::string> words;
    for (const passes::Packing& packing : PackingsIn(launches, i, packings))
      words.push_back(backends::PrintPacking(packing, directives));
    text += backends::PrintBlock(paths.empty() ? std::vector<std::string>{own[i]} : paths, directives,
                                 fingerprint, words);
  }
  return text + "\n";
}

}  // namespace

// Weights are packed for all kernels that read them.
std::string PrintSchedule(const Kernel& kernel, const std::string& fingerprint) {
  return Print(kernel, fingerprint, Packings());
}

void NameEquations(mlir::ModuleOp module) {
  struct Place {
    ir::LaunchOp launch;
    size_t equation;
    Rank rank;
  };
  std::map<std::string, std::vector<Place>> by_path;
  std::vector<ir::LaunchOp> launches;
  module.walk([&](ir::LaunchOp launch) {
    launches.push_back(launch);
    for (auto [i, path] : llvm::enumerate(WrittenPathsOf(launch)))
      by_path[path.empty() ? launch.getCallee().str() : path].push_back({launch, i, RankOf(launch)});
  });
  std::map<mlir::Operation*, std::vector<std::string>> named;
  for (ir::LaunchOp launch : launches) named[launch].resize(WrittenPathsOf(launch).size());
  std::set<std::string> taken;
  for (const auto& [path, places] : by_path) taken.insert(path);
  for (auto& [path, places] : by_path) {
    std::stable_sort(places.begin(), places.end(),
                     [](const Place& a, const Place& b) { return a.rank < b.rank; });
    // What two methods compute by one kernel is one equation to its author.
    std::map<std::pair<std::string, size_t>, std::string> names;
    int number = 2;
    for (const Place& place : places) {
      auto [name, is_new] =
          names.try_emplace({ir::LaunchOp(place.launch).getCallee().str(), place.equation}, path);
      if (is_new && names.size() > 1) {
        if (!place.rank.variant.empty()) name->second = absl::StrCat(path, "_", place.rank.variant);
        while (!taken.insert(name->second).second) name->second = absl::StrCat(path, "_", number++);
      }
      named[place.launch][place.equation] = name->second;
    }
  }
  mlir::Builder builder(module.getContext());
  std::set<std::string> seen;
  for (ir::LaunchOp launch : launches) {
    llvm::SmallVector<llvm::StringRef> paths;
    for (const std::string& path : named[launch]) paths.push_back(path);
    if (paths.empty()) continue;
    launch->setAttr("names", builder.getStrArrayAttr(paths));
    if (!seen.insert(launch.getCallee().str()).second) continue;
    auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<ir::KernelOp>(launch, launch.getCalleeAttr());
    TakePaths(kernel, named[launch]);
  }
}

void BindSchedules(std::vector<Kernel>& kernels, mlir::ModuleOp module, const dsl::Program& program,
                   const backends::Target& target, const std::vector<ScheduleSource>& sources,
                   dsl::Diagnostics& diagnostics) {
  bool any = std::any_of(sources.begin(), sources.end(),
                         [](const ScheduleSource& source) { return !source.blocks.empty(); });
  if (any) Binder(kernels, module, program, target, sources, diagnostics).Run();
}

void ReportUnknownEquation(const WrittenSchedule& block, const EquationNames& names,
                           dsl::Diagnostics& diagnostics) {
  diagnostics.Report(block.span, dsl::kUnknownEquation, block.path).SuggestNearest(block.path, names.All());
}

std::string PrintSchedules(const std::vector<Kernel>& kernels) {
  if (kernels.empty()) return "";
  auto module = kernels[0].op->getParentOfType<mlir::ModuleOp>();
  std::string text = PrintFusion(module);
  Packings packings = PackingsOf(module);
  for (const Kernel& kernel : kernels) text += Print(kernel, "", packings);
  return text;
}

}  // namespace weft::driver
