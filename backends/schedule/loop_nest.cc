#include "backends/schedule/loop_nest.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "llvm/ADT/STLExtras.h"

namespace weft::backends {
namespace {

class Resolver {
 public:
  Resolver(const EquationLoops& equation, const EquationSchedule& schedule, ScheduleProblem& problem)
      : equation_(equation), schedule_(schedule), problem_(problem) {}

  absl::StatusOr<LoopNest> Run() {
    for (const LoopInfo& loop : equation_.domain) Add(Loop(loop.name, loop.extent, false));
    for (const LoopInfo& loop : equation_.reductions) Add(Loop(loop.name, loop.extent, true));
    // Joins and splits make the loops that the other words name, so they come first whatever the order in the
    // text.
    for (const Directive& d : schedule_.directives) {
      if (d.kind == DirectiveKind::kJoin) {
        if (auto s = Join(d); !s.ok()) return s;
      }
    }
    for (const Directive& d : schedule_.directives) {
      if (d.kind == DirectiveKind::kSplit) {
        if (auto s = Split(d); !s.ok()) return s;
      }
    }
    bool ordered = false;
    for (const Directive& d : schedule_.directives) {
      if (auto s = Mark(d, ordered); !s.ok()) return s;
    }
    if (!ordered) DefaultOrder();
    if (auto s = CheckBlocks(); !s.ok()) return s;
    return std::move(nest_);
  }

 private:
  static NestLoop Loop(const std::string& name, int64_t extent, bool reduction) {
    NestLoop loop;
    loop.name = name, loop.extent = extent, loop.reduction = reduction;
    return loop;
  }
  void Add(NestLoop loop) {
    leaves_.push_back(loop.name);
    nest_.loops.push_back(std::move(loop));
  }
  NestLoop* Leaf(const std::string& name) {
    if (std::find(leaves_.begin(), leaves_.end(), name) == leaves_.end()) return nullptr;
    for (NestLoop& loop : nest_.loops) {
      if (loop.name == name) return &loop;
    }
    return nullptr;
  }
  absl::Status Error(const Directive& d, absl::string_view what, absl::string_view name = "") const {
    problem_.text = absl::StrCat(what, " in `", equation_.path, "`");
    problem_.span = SpanOf(d, name);
    return absl::InvalidArgumentError(absl::StrCat("schedule: ", problem_.text));
  }
  static dsl::Span SpanOf(const Directive& d, absl::string_view name) {
    for (size_t i = 0; i < d.name_spans.size(); ++i) {
      if (d.names[i] == name) return d.name_spans[i];
    }
    return d.span;
  }
  absl::Status Missing(const Directive& d, const std::string& name) const {
    if (nest_.IsSplit(name)) {
      auto [outer, inner] = nest_.Parts(name);
      return Error(d, absl::StrCat("`", name, "` is split into `", outer, "` and `", inner, "`"), name);
    }
    for (const std::vector<std::string>& join : nest_.joins) {
      if (std::find(join.begin(), join.end() - 1, name) != join.end() - 1)
        return Error(d, absl::StrCat("`", name, "` is joined into `", join.back(), "`"), name);
    }
    absl::Status status = Error(d, absl::StrCat("there is no loop `", name, "`"), name);
    problem_.missing = name;
    problem_.known = leaves_;
    return status;
  }
  absl::Status Fresh(const Directive& d, const std::string& name) const {
    for (const NestLoop& loop : nest_.loops) {
      if (loop.name == name) return Error(d, absl::StrCat("the name `", name, "` is taken"), name);
    }
    return absl::OkStatus();
  }

  absl::Status Join(const Directive& d) {
    std::vector<std::string> parts(d.names.begin(), d.names.end() - 1);
    if (parts.size() < 2) return Error(d, "`join` needs two loops");
    size_t at = leaves_.size();
    int64_t extent = 1;
    bool reduction = false;
    for (size_t i = 0; i < parts.size(); ++i) {
      NestLoop* loop = Leaf(parts[i]);
      if (!loop || !loop->parent.empty()) return Missing(d, parts[i]);
      size_t place = std::find(leaves_.begin(), leaves_.end(), parts[i]) - leaves_.begin();
      if (i == 0) at = place, reduction = loop->reduction;
      if (place != at + i || loop->reduction != reduction) {
        return Error(d, absl::StrCat("`", parts[i - 1], "` and `", parts[i], "` are not adjacent"));
      }
      extent = extent < 0 || loop->extent < 0 ? kUnknown : extent * loop->extent;
    }
    if (auto s = Fresh(d, d.names.back()); !s.ok()) return s;
    leaves_.erase(leaves_.begin() + at, leaves_.begin() + at + parts.size());
    leaves_.insert(leaves_.begin() + at, d.names.back());
    nest_.loops.push_back(Loop(d.names.back(), extent, reduction));
    nest_.joins.push_back(d.names);
    return absl::OkStatus();
  }

  absl::Status Split(const Directive& d) {
    NestLoop* loop = Leaf(d.names[0]);
    if (!loop) return Missing(d, d.names[0]);
    for (int i : {1, 2}) {
      if (auto s = Fresh(d, d.names[i]); !s.ok()) return s;
    }
    if (d.names[1] == d.names[2]) return Error(d, "a split needs two names");
    // Of a reduction's loop the inner part, where the outer one makes blocks: CheckBlocks.
    bool is_part = !loop->parent.empty();
    if (is_part && loop->inner_part != loop->reduction) {
      return Error(d, absl::StrCat("`", d.names[0], "` is a part of `", loop->parent, "` already; only ",
                                   "the outer part of a loop that is not summed over can be split again;"));
    }
    if (is_part && loop->reduction) split_again_ = &d;
    auto place = std::find(leaves_.begin(), leaves_.end(), d.names[0]);
    *place = d.names[1];
    leaves_.insert(place + 1, d.names[2]);
    NestLoop outer{d.names[1], kUnknown, loop->reduction, d.names[0], d.factor, false};
    NestLoop inner{d.names[2], d.factor, loop->reduction, d.names[0], d.factor, true};
    if (loop->extent >= 0) outer.extent = (loop->extent + d.factor - 1) / d.factor;
    nest_.loops.push_back(outer);
    nest_.loops.push_back(inner);
    return absl::OkStatus();
  }

  absl::Status Mark(const Directive& d, bool& ordered) {
    switch (d.kind) {
      case DirectiveKind::kSplit:
      case DirectiveKind::kJoin:
        return absl::OkStatus();
      case DirectiveKind::kOrder:
        if (ordered) return Error(d, "two orders");
        ordered = true;
        return Order(d);
      case DirectiveKind::kParallel:
      case DirectiveKind::kVectorize:
      case DirectiveKind::kUnroll:
        for (const std::string& name : d.names) {
          NestLoop* loop = Leaf(name);
          if (!loop) return Missing(d, name);
          if (d.kind == DirectiveKind::kParallel) {
            if (loop->reduction)
              return Error(d, absl::StrCat("`", name, "` is reduced over and cannot be parallel"), name);
            loop->parallel = true;
          } else {
            if (loop->extent < 0)
              return Error(d, absl::StrCat("`", name, "` has no fixed length and must be split first"), name);
            if (loop->extent > 1024)
              return Error(d, absl::StrCat("`", name, "` is too long and must be split first"), name);
            (d.kind == DirectiveKind::kVectorize ? loop->vectorized : loop->unrolled) = true;
          }
        }
        return absl::OkStatus();
      case DirectiveKind::kOverlap:
        for (const std::string& name : d.names) {
          auto it = std::find_if(nest_.loops.begin(), nest_.loops.end(),
                                 [&](const NestLoop& l) { return l.name == name; });
          if (it == nest_.loops.end()) return Missing(d, name);
          if (!nest_.IsSplit(name)) return Error(d, absl::StrCat("`", name, "` is not split"), name);
          if (it->reduction)
            return Error(d, absl::StrCat("`", name, "` is reduced over and cannot overlap"), name);
          if (!it->parent.empty())
            return Error(d, absl::StrCat("`", name, "` is a part of `", it->parent, "` and cannot overlap"),
                         name);
          int64_t factor = nest_.Find(nest_.Parts(name).first).factor;
          if (it->extent < factor) {
            return Error(d, absl::StrCat("`", name, "` is not known to be as long as its split of ", factor),
                         name);
          }
          it->overlap = true;
        }
        return absl::OkStatus();
      case DirectiveKind::kPrefetch: {
        for (const std::string& name : d.names) {
          NestLoop* loop = Leaf(name);
          if (!loop || loop->reduction) return Missing(d, name);
          nest_.prefetches.push_back(name);
        }
        return absl::OkStatus();
      }
      case DirectiveKind::kSpecialize:
        return Specialize(d);
      case DirectiveKind::kPad:
        nest_.pads = true;
        if (!d.names.empty()) {
          NestLoop* loop = Leaf(d.names[0]);
          if (!loop || loop->reduction) return Missing(d, d.names[0]);
          nest_.pad_at = d.names[0];
        }
        return absl::OkStatus();
      case DirectiveKind::kTranspose:
        if (d.names[0].empty() && !d.names[1].empty()) {
          NestLoop* loop = Leaf(d.names[1]);
          if (!loop || loop->reduction) return Missing(d, d.names[1]);
        }
        nest_.transposes = true;
        nest_.transpose_equation = d.names[0];
        nest_.transpose_at = d.names[1];
        return absl::OkStatus();
      case DirectiveKind::kAt:
        nest_.placed = true;
        nest_.at_equation = d.names[0];
        nest_.at_loop = d.names[1];
        return absl::OkStatus();
      case DirectiveKind::kInline:
        nest_.inlined = true;
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  // Of a loop of the equation, whatever is split or joined of it.
  absl::Status Specialize(const Directive& d) {
    auto is_meant = [&](const LoopInfo& info) { return info.name == d.names[0]; };
    bool is_loop = llvm::any_of(equation_.domain, is_meant) || llvm::any_of(equation_.reductions, is_meant);
    if (!is_loop) {
      absl::Status status =
          Error(d, absl::StrCat("there is no loop `", d.names[0], "` as it is written"), d.names[0]);
      problem_.missing = d.names[0];
      for (const auto* loops : {&equation_.domain, &equation_.reductions})
        for (const LoopInfo& info : *loops) problem_.known.push_back(info.name);
      return status;
    }
    auto loop = llvm::find_if(nest_.loops, [&](const NestLoop& l) { return l.name == d.names[0]; });
    if (loop->extent >= 0)
      return Error(d, absl::StrCat("`", d.names[0], "` always has the length ", loop->extent), d.names[0]);
    for (size_t i = 0; i < d.lengths.size(); ++i) {
      if (llvm::is_contained(loop->lengths, d.lengths[i])) {
        absl::Status status =
            Error(d, absl::StrCat("the length ", d.lengths[i], " of `", d.names[0], "` stands twice"));
        if (i < d.length_spans.size()) problem_.span = d.length_spans[i];
        return status;
      }
      loop->lengths.push_back(d.lengths[i]);
    }
    return absl::OkStatus();
  }

  absl::Status Order(const Directive& d) {
    std::set<std::string> seen;
    for (int i = 0; i < static_cast<int>(d.names.size()); ++i) {
      NestLoop* loop = Leaf(d.names[i]);
      if (!loop) return Missing(d, d.names[i]);
      if (!seen.insert(d.names[i]).second)
        return Error(d, absl::StrCat("`", d.names[i], "` stands twice in the order"), d.names[i]);
      if (loop->reduction && i < d.bar1 && !loop->parent.empty() && !loop->inner_part) {
        if (auto s = Block(d, *loop); !s.ok()) return s;
        continue;
      }
      bool between = d.bar1 >= 0 && i >= d.bar1 && i < d.bar2;
      if (d.bar1 >= 0 && between != loop->reduction) {
        return Error(
            d,
            absl::StrCat("`", d.names[i], "` belongs ", loop->reduction ? "between" : "outside", " the bars"),
            d.names[i]);
      }
      if (loop->reduction) {
        nest_.reductions.push_back(d.names[i]);
      } else {
        (d.bar1 >= 0 && i >= d.bar2 ? nest_.inner : nest_.outer).push_back(d.names[i]);
      }
    }
    for (const std::string& leaf : leaves_) {
      if (!seen.count(leaf)) return Error(d, absl::StrCat("`", leaf, "` is missing in the order"));
    }
    return absl::OkStatus();
  }

  // The loops of results behind it in the order run once for each block.
  absl::Status Block(const Directive& d, const NestLoop& loop) {
    if (!nest_.block.empty())
      return Error(d, absl::StrCat("`", nest_.block, "` and `", loop.name, "` both make blocks"), loop.name);
    int64_t extent = nest_.Find(loop.parent).extent;
    if (extent < 0 || extent % loop.factor != 0) {
      return Error(
          d, absl::StrCat("`", loop.parent, "` is not known to be a whole number of blocks of ", loop.factor),
          loop.name);
    }
    nest_.block = loop.name;
    if (!nest_.outer.empty()) nest_.block_at = nest_.outer.back();
    return absl::OkStatus();
  }

  absl::Status CheckBlocks() const {
    if (split_again_ && (nest_.block.empty() ||
                         nest_.Find(nest_.block).parent != nest_.Find(split_again_->names[0]).parent)) {
      return Error(*split_again_,
                   absl::StrCat("`", split_again_->names[0], "` is a part of `",
                                nest_.Find(split_again_->names[0]).parent,
                                "` already, whose other part does not run around results' loops"));
    }
    if (nest_.block.empty()) return absl::OkStatus();
    bool is_inside = nest_.block_at.empty();
    for (const std::string& name : nest_.outer) {
      const NestLoop& loop = nest_.Find(name);
      if (is_inside && loop.parallel)
        return Error(OrderOf(),
                     absl::StrCat("`", name, "` runs inside of `", nest_.block, "` and cannot be parallel"),
                     name);
      is_inside |= name == nest_.block_at;
    }
    for (const NestLoop& loop : nest_.loops) {
      const char* does = loop.overlap                        ? "overlaps"
                         : loop.reduction && loop.vectorized ? "is a vector"
                                                             : nullptr;
      if (!does) continue;
      return Error(OrderOf(),
                   absl::StrCat("`", loop.name, "` ", does, ", which blocks of a reduction do not allow,"),
                   nest_.block);
    }
    return absl::OkStatus();
  }

  const Directive& OrderOf() const {
    return *std::find_if(schedule_.directives.begin(), schedule_.directives.end(),
                         [](const Directive& d) { return d.kind == DirectiveKind::kOrder; });
  }

  void DefaultOrder() {
    for (const std::string& leaf : leaves_) {
      const NestLoop& loop = nest_.Find(leaf);
      if (loop.reduction) {
        nest_.reductions.push_back(leaf);
      } else if (loop.vectorized || loop.unrolled) {
        nest_.inner.push_back(leaf);
      } else {
        nest_.outer.push_back(leaf);
      }
    }
  }

  const EquationLoops& equation_;
  const EquationSchedule& schedule_;
  ScheduleProblem& problem_;
  LoopNest nest_;
  std::vector<std::string> leaves_;
  const Directive* split_again_ = nullptr;  // of a reduction's part
};

}  // namespace

const NestLoop& LoopNest::Find(const std::string& name) const {
  static const NestLoop none;
  for (const NestLoop& loop : loops) {
    if (loop.name == name) return loop;
  }
  return none;
}

bool LoopNest::IsSplit(const std::string& name) const {
  return std::any_of(loops.begin(), loops.end(),
                     [&](const NestLoop& l) { return l.parent == name && !name.empty(); });
}

std::pair<std::string, std::string> LoopNest::Parts(const std::string& name) const {
  std::pair<std::string, std::string> parts;
  for (const NestLoop& loop : loops) {
    if (loop.parent == name) (loop.inner_part ? parts.second : parts.first) = loop.name;
  }
  return parts;
}

const std::string& LoopNest::Base(const std::string& name) const {
  const std::string* base = &name;
  while (!Find(*base).parent.empty()) base = &Find(*base).parent;
  return *base;
}

absl::StatusOr<LoopNest> ResolveLoops(const EquationLoops& equation, const EquationSchedule& schedule,
                                      ScheduleProblem* problem) {
  ScheduleProblem unheard;
  return Resolver(equation, schedule, problem ? *problem : unheard).Run();
}

}  // namespace weft::backends
