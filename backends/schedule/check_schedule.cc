#include "backends/schedule/check_schedule.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/schedule/joins.h"
#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Checker {
 public:
  Checker(const KernelView& kernel, const Schedule& schedule) : kernel_(kernel), schedule_(schedule) {
    for (const EquationView& equation : kernel.equations) paths_.push_back(equation.loops.path);
  }

  std::vector<std::pair<size_t, ScheduleProblem>> Run() {
    for (size_t i = 0; i < kernel_.equations.size(); ++i) {
      ScheduleProblem problem;
      absl::StatusOr<LoopNest> nest =
          ResolveLoops(kernel_.equations[i].loops, schedule_.equations[i], &problem);
      if (!nest.ok()) problems_.emplace_back(i, problem);
      nests_.push_back(nest.ok() ? *std::move(nest) : LoopNest());
    }
    if (!problems_.empty()) return std::move(problems_);
    CheckJoins();
    for (size_t i = 0; i < nests_.size(); ++i) {
      std::optional<ScheduleProblem> problem = CheckMarks(i);
      if (!problem) problem = CheckInline(i);
      if (!problem) problem = CheckPlace(i);
      if (!problem) problem = CheckBlocks(i);
      if (!problem) problem = CheckCopies(i);
      if (!problem) problem = CheckLengths(i);
      if (problem) problems_.emplace_back(i, *std::move(problem));
    }
    return std::move(problems_);
  }

 private:
  const std::string& Path(size_t i) const { return paths_[i]; }

  // A problem of the first directive of one of these kinds.
  ScheduleProblem Say(size_t i, std::initializer_list<DirectiveKind> kinds, std::string text) const {
    ScheduleProblem problem;
    problem.text = std::move(text);
    for (const Directive& d : schedule_.equations[i].directives) {
      if (std::find(kinds.begin(), kinds.end(), d.kind) == kinds.end()) continue;
      problem.span = d.span;
      break;
    }
    return problem;
  }

  void CheckJoins() {
    std::set<std::pair<mlir::Operation*, int>> wanted;
    for (size_t i = 0; i < nests_.size(); ++i)
      wanted.merge(JoinedPairs(kernel_.equations[i], nests_[i].joins));
    Joins found = FindJoins(kernel_, &wanted);
    for (size_t i = 0; i < nests_.size(); ++i) {
      for (const auto& pair : JoinedPairs(kernel_.equations[i], nests_[i].joins)) {
        if (found.loops.count(pair)) continue;
        problems_.emplace_back(
            i,
            Say(i, {DirectiveKind::kJoin},
                absl::StrCat("these loops of `", Path(i),
                             "` cannot run as one: some equation of the kernel reads them apart, or does not "
                             "join them")));
        break;
      }
    }
  }

  // Inside a vector there are no threads, and what a lane beyond the last step would reduce has no place.
  std::optional<ScheduleProblem> CheckMarks(size_t i) const {
    std::string vector;
    for (const std::string& name : nests_[i].outer) {
      const NestLoop& loop = nests_[i].Find(name);
      if (!loop.vectorized || loop.parent.empty() || kernel_.equations[i].reduces.empty()) continue;
      if (nests_[i].Find(loop.parent).extent >= loop.factor) continue;
      return Say(
          i, {DirectiveKind::kVectorize},
          absl::StrCat("`", loop.parent, "` is not known to have ", loop.factor,
                       " steps, as many as lanes of `", name, "`, inside of which `", Path(i), "` reduces"));
    }
    for (const auto* part : {&nests_[i].outer, &nests_[i].inner}) {
      for (const std::string& name : *part) {
        const NestLoop& loop = nests_[i].Find(name);
        if (loop.parallel && !vector.empty()) {
          return Say(i, {DirectiveKind::kParallel},
                     absl::StrCat("`", name, "` runs inside of `", vector,
                                  "`, which is one vector, and cannot be parallel there"));
        }
        if (loop.vectorized) vector = name;
      }
    }
    return std::nullopt;
  }

  bool IsOutput(size_t i) const {
    return std::any_of(kernel_.equations[i].results.begin(), kernel_.equations[i].results.end(),
                       [&](mlir::Value result) {
                         return std::find(kernel_.returned.begin(), kernel_.returned.end(), result) !=
                                kernel_.returned.end();
                       });
  }

  std::optional<ScheduleProblem> CheckInline(size_t i) const {
    if (!nests_[i].inlined) return std::nullopt;
    const char* why = IsOutput(i)                               ? "is a result of its kernel"
                      : !kernel_.equations[i].reduces.empty()   ? "reduces"
                      : kernel_.equations[i].results.size() > 1 ? "has several results"
                                                                : nullptr;
    if (!why) return std::nullopt;
    return Say(i, {DirectiveKind::kInline},
               absl::StrCat("`", Path(i), "` cannot be written out where it is read: it ", why));
  }

  // The equations that read a result of equation `i`.
  std::vector<size_t> ReadersOf(size_t i) const {
    std::vector<size_t> readers;
    for (size_t j = 0; j < kernel_.equations.size(); ++j) {
      bool reads = std::any_of(
          kernel_.equations[j].reads.begin(), kernel_.equations[j].reads.end(), [&](const ReadView& read) {
            const auto& results = kernel_.equations[i].results;
            return std::find(results.begin(), results.end(), read.tensor) != results.end();
          });
      if (reads) readers.push_back(j);
    }
    return readers;
  }

  static size_t Depth(const LoopNest& nest, const std::string& loop) {
    return std::find(nest.outer.begin(), nest.outer.end(), loop) - nest.outer.begin();
  }

  // Whether equation `i` is computed inside loop `depth` of `target` and nowhere else.
  bool RunsInside(size_t i, size_t target, size_t depth) const {
    if (i == target) return true;
    const LoopNest& nest = nests_[i];
    if (nest.inlined) {
      std::vector<size_t> readers = ReadersOf(i);
      return std::all_of(readers.begin(), readers.end(),
                         [&](size_t reader) { return RunsInside(reader, target, depth); });
    }
    if (!nest.placed || nest.at_equation.empty() || IsOutput(i)) return false;
    int place = FindEquation(paths_, i, nest.at_equation);
    if (place == static_cast<int>(target)) return Depth(nests_[target], nest.at_loop) >= depth;
    return place > static_cast<int>(i) && RunsInside(static_cast<size_t>(place), target, depth);
  }

  std::optional<ScheduleProblem> CheckPlace(size_t i) const {
    const LoopNest& nest = nests_[i];
    if (!nest.placed || nest.at_equation.empty()) return std::nullopt;
    auto say = [&](std::string text) { return Say(i, {DirectiveKind::kAt}, std::move(text)); };
    if (IsOutput(i)) {
      return say(
          absl::StrCat("`", Path(i), "` is a result of its kernel and cannot be computed inside another"));
    }
    std::optional<ScheduleProblem> problem = CheckLoop(i, nest.at_equation, nest.at_loop, DirectiveKind::kAt);
    if (problem) return problem;
    size_t target = static_cast<size_t>(FindEquation(paths_, i, nest.at_equation));
    if (target <= i || nests_[target].inlined) {
      return say(absl::StrCat("`", Path(target), "` does not read `", Path(i),
                              "`, which cannot be computed inside"));
    }
    size_t depth = Depth(nests_[target], nest.at_loop);
    std::vector<size_t> readers = ReadersOf(i);
    for (size_t reader : readers) {
      if (RunsInside(reader, target, depth)) continue;
      return say(absl::StrCat("`", Path(i), "` is read by `", Path(reader), "`, outside of the loop `",
                              nest.at_loop, "` of `", Path(target), "`"));
    }
    return std::nullopt;
  }

  // A vector of results whose last one is guarded, and whose steps run inside of a block; empty: none.
  std::string PartInBlocks(size_t i) const {
    const LoopNest& nest = nests_[i];
    const EquationView& equation = kernel_.equations[i];
    size_t first = nest.block_at.empty() ? 0 : Depth(nest, nest.block_at) + 1;
    for (const std::string& name : nest.inner) {
      const NestLoop& part = nest.Find(name);
      if (!part.vectorized || part.parent.empty() || nest.transposes) continue;
      int64_t extent = nest.Find(part.parent).extent;
      bool is_panel = equation.packed_axis >= 0 && part.factor == equation.packed_block &&
                      IndexOf(i, part.parent) == equation.indices[static_cast<size_t>(equation.packed_axis)];
      bool steps_inside =
          std::any_of(nest.outer.begin() + static_cast<int64_t>(first), nest.outer.end(),
                      [&](const std::string& outer) { return nest.Base(outer) == nest.Base(part.parent); });
      if (steps_inside && !is_panel && (extent < 0 || extent % part.factor != 0)) return name;
    }
    return "";
  }

  // Blocks of a reduction give partial results that are combined afterwards.
  std::optional<ScheduleProblem> CheckBlocks(size_t i) const {
    const LoopNest& nest = nests_[i];
    if (nest.block.empty()) return std::nullopt;
    const EquationView& equation = kernel_.equations[i];
    auto inside = [&](const std::string& loop) {
      return !loop.empty() && (nest.block_at.empty() || Depth(nest, loop) > Depth(nest, nest.block_at));
    };
    std::string why;
    if (nest.placed && !nest.at_loop.empty()) {
      why = "it is computed inside another equation";
    } else if (inside(nest.pad_at) || (nest.transpose_equation.empty() && inside(nest.transpose_at))) {
      why = "a copy of what it reads is made further inside";
    } else if (std::string part = PartInBlocks(i); !part.empty()) {
      why = absl::StrCat("the last vector of `", nest.Find(part).parent, "` is not full");
    } else if (HasBlocks(equation, &why)) {
      return std::nullopt;
    }
    return Say(i, {DirectiveKind::kOrder},
               absl::StrCat("`", nest.block, "` cannot run around loops of results: `", Path(i),
                            "` is not reduced in blocks, since ", why));
  }

  // That the place of a directive is a loop around what its equation computes at once.
  std::optional<ScheduleProblem> CheckLoop(size_t i, const std::string& equation, const std::string& loop,
                                           DirectiveKind kind) const {
    int holder = equation.empty() ? static_cast<int>(i) : FindEquation(paths_, i, equation);
    if (holder < 0) {
      std::string others;
      for (size_t j = 0; j < nests_.size(); ++j) {
        if (j != i) absl::StrAppend(&others, others.empty() ? "; with it are " : ", ", "`", Path(j), "`");
      }
      return Say(i, {kind},
                 absl::StrCat("no equation `", equation, "` is computed in one kernel with `", Path(i), "`",
                              others));
    }
    const LoopNest& nest = nests_[holder];
    if (Contains(nest.outer, loop)) return std::nullopt;
    ScheduleProblem problem =
        Say(i, {kind}, absl::StrCat("`", loop, "` is no loop around the tiles of `", Path(holder), "`"));
    problem.missing = loop;
    problem.known = nest.outer;
    return problem;
  }

  // Of a loop of the domain; null for joined ones.
  mlir::Value IndexOf(size_t i, const std::string& loop) const {
    const EquationView& equation = kernel_.equations[i];
    for (size_t k = 0; k < equation.indices.size(); ++k)
      if (equation.loops.domain[k].name == loop) return equation.indices[k];
    return nullptr;
  }

  // Of a loop of the domain, or of those that were joined to one.
  std::vector<mlir::Value> IndicesOf(size_t i, const std::string& loop) const {
    for (const std::vector<std::string>& join : nests_[i].joins) {
      if (join.back() != loop) continue;
      std::vector<mlir::Value> indices;
      for (size_t k = 0; k + 1 < join.size(); ++k) indices.push_back(IndexOf(i, join[k]));
      return indices;
    }
    return {IndexOf(i, loop)};
  }

  std::optional<ScheduleProblem> CheckCopies(size_t i) const {
    const LoopNest& nest = nests_[i];
    if (nest.pads && !nest.pad_at.empty()) {
      auto problem = CheckLoop(i, "", nest.pad_at, DirectiveKind::kPad);
      if (problem) return problem;
    }
    for (const std::string& loop : nest.prefetches) {
      auto problem = CheckLoop(i, "", loop, DirectiveKind::kPrefetch);
      if (problem) return problem;
      std::string base = nest.Base(loop);
      bool has_weights = PackedAlong(kernel_.equations[i], IndexOf(i, base)).has_value();
      if (!has_weights && ReadBesideSums(kernel_.equations[i], IndicesOf(i, base)).empty()) {
        return Say(i, {DirectiveKind::kPrefetch},
                   absl::StrCat("`", Path(i), "` reads no packed weights along `", loop,
                                "`, and nothing beside its sums"));
      }
    }
    if (!nest.transposes || nest.transpose_at.empty()) return std::nullopt;
    auto problem = CheckLoop(i, nest.transpose_equation, nest.transpose_at, DirectiveKind::kTranspose);
    if (problem || nest.transpose_equation.empty()) return problem;
    size_t holder = static_cast<size_t>(FindEquation(paths_, i, nest.transpose_equation));
    if (RunsInside(i, holder, Depth(nests_[holder], nest.transpose_at))) return std::nullopt;
    return Say(i, {DirectiveKind::kTranspose},
               absl::StrCat("`", Path(i), "` is not computed inside the loop `", nest.transpose_at, "` of `",
                            Path(holder), "`"));
  }

  std::optional<ScheduleProblem> CheckLengths(size_t i) const {
    for (const NestLoop& loop : nests_[i].loops) {
      if (loop.lengths.empty() || LengthOf(kernel_.equations[i], loop.name)) continue;
      return Say(i, {DirectiveKind::kSpecialize},
                 absl::StrCat("the length of `", loop.name, "` in `", Path(i),
                              "` is computed when it runs, and has no code of its own"));
    }
    return std::nullopt;
  }

  const KernelView& kernel_;
  const Schedule& schedule_;
  std::vector<std::string> paths_;
  std::vector<LoopNest> nests_;
  std::vector<std::pair<size_t, ScheduleProblem>> problems_;
};

size_t CommonLength(const std::string& a, const std::string& b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

}  // namespace

std::vector<std::pair<size_t, ScheduleProblem>> CheckSchedule(const KernelView& kernel,
                                                              const Schedule& schedule) {
  return Checker(kernel, schedule).Run();
}

int FindEquation(const std::vector<std::string>& paths, size_t equation, const std::string& name) {
  int found = -1;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (paths[i] == name) return static_cast<int>(i);
    if (!HasSuffix(paths[i], name)) continue;
    bool is_nearer =
        found < 0 || CommonLength(paths[i], paths[equation]) > CommonLength(paths[found], paths[equation]);
    if (is_nearer) found = static_cast<int>(i);
  }
  return found;
}

}  // namespace weft::backends
