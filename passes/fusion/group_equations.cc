#include <algorithm>
#include <map>
#include <string>

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/outputs.h"
#include "passes/fusion/fusion_words.h"
#include "passes/fusion/passes.h"
#include "passes/fusion/tile_groups.h"
#include "passes/fusion/window_groups.h"

// Equations share a kernel where they can share loops: at each point of the common loops a slice of every
// equation is computed before the next point. What one makes and the others read stays in the cache. Rules in
// passes/README.md.

namespace weft::passes {

#define GEN_PASS_DEF_GROUPEQUATIONS
#include "passes/fusion/passes.h.inc"

namespace {

using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

constexpr size_t kLargestGroup = 8;
// Groups without common loops, and groups with fewer common points than threads, do at most this much work.
constexpr double kSmallWork = 65536;
// Second-level caches that pass for each block of rows of a contraction: its own rows are used by all of
// that.
constexpr int64_t kPassing = 8;

int64_t EstimateSize(OpFoldResult extent) {
  if (auto number = mlir::getConstantIntValue(extent)) return *number;
  IndexRange range = RangeOf(mlir::cast<Value>(extent));
  return std::min(range.hi, kUnknownSize);
}

struct Member {
  ir::EquationOp equation;
  SmallVector<int64_t> common;  // positions of the common loops in the domain, in the group's order
};

// Why equations share no kernel, for people. Null: nothing stands against it.
using Obstacle = const char*;

struct Group {
  SmallVector<Member> members;  // in order of the function
  Obstacle closed = nullptr;    // why nothing joins it
};

// Two groups as one, or what stands against it.
struct Merged {
  Group group;
  Obstacle obstacle = nullptr;
};

class Grouper {
 public:
  Grouper(mlir::func::FuncOp function, const TargetDescription& target)
      : function_(function), target_(target) {}

  void Run() {
    for (ir::EquationOp equation : function_.getBody().front().getOps<ir::EquationOp>()) {
      Member member = {equation, {}};
      for (auto [position, extent] : llvm::enumerate(equation.getStaticExtents()))
        if (extent != 1) member.common.push_back(position);
      group_of_[equation] = groups_.size();
      groups_.push_back({{member}, IsAlone(equation) ? "a schedule has one of them alone" : nullptr});
    }
    for (ir::EquationOp equation : function_.getBody().front().getOps<ir::EquationOp>()) {
      Close(FindTileGroup(equation, target_), "the tiles of a convolution are a kernel of their own");
      Close(FindWindowGroup(equation, target_), "windows and what they read are a kernel of their own");
    }
    JoinWanted();
    bool changed = true;
    while (changed) {
      changed = false;
      for (ir::EquationOp consumer : function_.getBody().front().getOps<ir::EquationOp>()) {
        for (ir::EquationOp producer : ProducersOf(consumer)) {
          size_t from = group_of_[producer], to = group_of_[consumer];
          if (from == to) continue;
          Merged merged = Merge(groups_[from], groups_[to]);
          if (merged.obstacle || FindBetween(from, to)) continue;
          Replace(from, to, std::move(merged.group));
          changed = true;
        }
      }
    }
    SetAttributes();
  }

  // Keeps with every equation (attribute `apart`) what it reads of other kernels, and why it is in none of
  // them; if not of `all`, where schedules want it to be.
  void NoteObstacles(bool all) {
    mlir::Builder builder(function_.getContext());
    for (ir::EquationOp consumer : function_.getBody().front().getOps<ir::EquationOp>()) {
      std::map<std::string, std::string> apart;
      consumer.getBody().walk([&](ir::ReadOp read) {
        ir::EquationOp producer = DefiningEquation(ViewedValue(read.getTensor()));
        if (!producer || !producer.getPath() || group_of_[producer] == group_of_[consumer]) return;
        if (!all && !Wants(producer, consumer) && !Wants(consumer, producer)) return;
        apart[producer.getPath()->str()] = ObstacleBetween(producer, consumer, read);
      });
      SmallVector<mlir::NamedAttribute> named;
      for (const auto& [path, obstacle] : apart)
        named.push_back(builder.getNamedAttr(path, builder.getStringAttr(obstacle)));
      if (!named.empty()) consumer->setAttr("apart", builder.getDictionaryAttr(named));
    }
  }

 private:
  static bool Wants(ir::EquationOp equation, ir::EquationOp other) {
    std::optional<llvm::StringRef> wanted = WantedKernel(equation);
    return wanted && other.getPath() == wanted;
  }

  // Schedules overrule what is worth it, not what is possible.
  void JoinWanted() {
    for (ir::EquationOp consumer : function_.getBody().front().getOps<ir::EquationOp>()) {
      for (ir::EquationOp producer : ProducersOf(consumer)) {
        size_t from = group_of_[producer], to = group_of_[consumer];
        if (from == to || !(Wants(producer, consumer) || Wants(consumer, producer))) continue;
        Merged merged = Merge(groups_[from], groups_[to]);
        if (!merged.group.members.empty() && !FindBetween(from, to))
          Replace(from, to, std::move(merged.group));
      }
    }
  }

  // Two groups by what they make together.
  void Replace(size_t from, size_t to, Group merged) {
    for (Member& member : merged.members) group_of_[member.equation] = from;
    groups_[from] = std::move(merged);
    groups_[to].members.clear();
  }

  // Groups what was found to be one kernel, which nothing joins.
  void Close(const std::optional<TileGroup>& found, Obstacle why) {
    if (!found) return;
    for (ir::EquationOp equation : found->equations)
      if (IsAlone(equation)) return;
    size_t number = group_of_[found->equations.back()];
    for (ir::EquationOp equation : found->equations) {
      groups_[group_of_[equation]].members.clear();
      group_of_[equation] = number;
    }
    for (ir::EquationOp equation : found->equations)
      groups_[number].members.push_back({equation, found->common});
    groups_[number].closed = why;
  }

  std::string ObstacleBetween(ir::EquationOp producer, ir::EquationOp consumer, ir::ReadOp read) {
    if (DefiningEquation(read.getTensor()) != producer) return "it is read in another shape";
    size_t from = group_of_[producer], to = group_of_[consumer];
    if (Obstacle obstacle = Merge(groups_[from], groups_[to]).obstacle) return obstacle;
    auto between = mlir::dyn_cast_or_null<ir::EquationOp>(FindBetween(from, to));
    std::string name = between ? between.getPath().value_or("").str() : "";
    return name.empty() ? "another kernel needs the one and is needed by the other"
                        : "`" + name + "` needs the one and is needed by the other";
  }

  SmallVector<ir::EquationOp> ProducersOf(ir::EquationOp equation) {
    llvm::SetVector<mlir::Operation*> producers;
    equation.getBody().walk([&](ir::ReadOp read) {
      if (ir::EquationOp producer = DefiningEquation(read.getTensor())) producers.insert(producer);
    });
    return llvm::map_to_vector(producers, [](mlir::Operation* op) { return mlir::cast<ir::EquationOp>(op); });
  }

  // The common loops of the first group as loops of the second, wherever the second reads the first; -1 where
  // a loop is not common to both.
  std::optional<SmallVector<int64_t>> MatchLoops(Group& first, Group& second) {
    size_t loops = first.members.front().common.size();
    SmallVector<int64_t> match(loops, -2);  // not met yet
    for (Member& consumer : second.members) {
      consumer.equation.getBody().walk([&](ir::ReadOp read) {
        ir::EquationOp producer = DefiningEquation(read.getTensor());
        auto member = llvm::find_if(first.members, [&](Member& m) { return m.equation == producer; });
        if (!producer || member == first.members.end()) return;
        for (size_t loop = 0; loop < loops; ++loop) {
          int64_t here = LoopOfSubscript(read, member->common[loop], consumer);
          if (match[loop] == -2) match[loop] = here;
          if (match[loop] != here) match[loop] = -1;
        }
      });
    }
    for (size_t loop = 0; loop < loops; ++loop) {
      if (match[loop] == -2) return std::nullopt;  // they are not related
      for (size_t other = 0; other < loop; ++other)
        if (match[loop] >= 0 && match[other] == match[loop]) match[loop] = -1;
    }
    return match;
  }

  // Which common loop of `consumer` subscripts `axis` of what it reads bare, over all of the axis; -1 for
  // none.
  int64_t LoopOfSubscript(ir::ReadOp read, int64_t axis, Member& consumer) {
    if (read.getOutsideAt(axis) != ir::Outside::inside) return -1;
    auto index = mlir::dyn_cast<mlir::BlockArgument>(read.getSubscripts()[axis]);
    if (!index || index.getOwner() != &consumer.equation.getBody().front()) return -1;
    auto position = llvm::find(consumer.common, static_cast<int64_t>(index.getArgNumber()));
    if (position == consumer.common.end()) return -1;
    if (!AxisHasSize(read.getTensor(), axis, ExtentsOf(consumer.equation)[*position])) return -1;
    return position - consumer.common.begin();
  }

  static bool StandsAlone(const Group& group) {
    return ir::EquationOp(group.members.front().equation)->hasAttr(kStandsAlone);
  }

  Merged Merge(Group& first, Group& second) {
    if (first.closed) return {{}, first.closed};
    if (second.closed) return {{}, second.closed};
    if (first.members.size() + second.members.size() > kLargestGroup)
      return {{}, "they would be more equations than a kernel holds"};
    if (StandsAlone(first) != StandsAlone(second))
      return {{}, "the last loops of one are unrolled by what it chooses"};
    std::optional<SmallVector<int64_t>> match = MatchLoops(first, second);
    if (!match) return {{}, "they are not related"};
    Group merged;
    for (Member& member : first.members) {
      Member kept = {member.equation, {}};
      for (auto [loop, other] : llvm::enumerate(*match))
        if (other >= 0) kept.common.push_back(member.common[loop]);
      merged.members.push_back(kept);
    }
    for (Member& member : second.members) {
      Member kept = {member.equation, {}};
      for (int64_t other : *match)
        if (other >= 0) kept.common.push_back(member.common[other]);
      merged.members.push_back(kept);
    }
    llvm::sort(merged.members, [](Member& a, Member& b) { return a.equation->isBeforeInBlock(b.equation); });
    KeepOuterLoops(merged);
    Obstacle obstacle = ObstacleIn(merged);
    return {std::move(merged), obstacle};
  }

  // Common loops must be the outer loops of every member, in any order: an axis inside of what is not common
  // would be walked in strides. Drops the others.
  void KeepOuterLoops(Group& group) {
    bool changed = true;
    while (changed) {
      changed = false;
      for (Member& member : group.members) {
        llvm::ArrayRef<int64_t> extents = member.equation.getStaticExtents();
        int64_t outer = 0;
        while (outer < static_cast<int64_t>(extents.size()) &&
               (extents[outer] == 1 || llvm::is_contained(member.common, outer)))
          ++outer;
        for (int64_t loop = static_cast<int64_t>(member.common.size()) - 1; loop >= 0; --loop) {
          if (member.common[loop] < outer) continue;
          for (Member& each : group.members) each.common.erase(each.common.begin() + loop);
          changed = true;
        }
      }
    }
  }

  // Why the group is not worth it.
  Obstacle ObstacleIn(Group& group) {
    int contractions = 0, rows = 0;
    double work = 0, common_points = 1;
    for (Member& member : group.members) {
      llvm::StringRef name = ClassOf(member.equation);
      if (name == "depthwise") return "a window per channel has a kernel of its own";
      rows += name == "row_reduction";
      double points = 1;
      for (OpFoldResult extent : ExtentsOf(member.equation))
        points *= static_cast<double>(EstimateSize(extent));
      work += points * CostPerPoint(member.equation, kUnknownSize);
      if (name != "contraction") continue;
      if (++contractions > 2) return "a kernel holds two contractions at most";
      if (Obstacle obstacle = ObstacleToContraction(member)) return obstacle;
    }
    if (contractions > 0 && rows == 0)
      return "a contraction shares loops only where a reduction of rows does, too";
    for (int64_t position : group.members.front().common)
      common_points *= static_cast<double>(EstimateSize(ExtentsOf(group.members.front().equation)[position]));
    if (work > kSmallWork && group.members.front().common.empty()) return "they have no outer loop in common";
    if (work > kSmallWork && common_points < static_cast<double>(target_.threads))
      return "the loops they have in common are shorter than there are threads";
    if (SliceBytes(group) > target_.l2_bytes / 2)
      return "what they hand over in one step of the common loops does not stay in the second-level cache";
    return nullptr;
  }

  // A contraction in a group walks one row at a time (a block of rows, if the schedule wants): its other
  // operand must come from this run, not be weights, which want a kernel of their own, and pass through the
  // cache for every block.
  Obstacle ObstacleToContraction(Member& member) {
    auto contraction = MatchContraction(member.equation);
    if (!contraction || !contraction->data || !contraction->weights)
      return "a factor of the contraction is computed in its body";
    if (IsLoadTime(contraction->weights.getTensor()) || IsLoadTime(contraction->data.getTensor()))
      return "a contraction with weights has a kernel of its own";
    for (ir::ReadOp factor : {contraction->data, contraction->weights}) {
      int64_t bytes = ElementBytes(factor.getType());
      for (Value index : IndicesOf(factor.getResult())) {
        auto argument = mlir::cast<mlir::BlockArgument>(index);
        bool domain = argument.getOwner() == &member.equation.getBody().front();
        if (domain && llvm::is_contained(member.common, argument.getArgNumber())) continue;
        if (domain) {
          bytes *= EstimateSize(ExtentsOf(member.equation)[argument.getArgNumber()]);
          continue;
        }
        IndexRange range = RangeOf(index);
        bytes *= range.hi < kUnknownSize ? range.hi + 1 : kUnknownSize;
      }
      if (bytes > kPassing * target_.l2_bytes)
        return "a factor of the contraction is too large to pass for every block of rows";
    }
    return nullptr;
  }

  // What the members hand to each other at one point of the common loops.
  int64_t SliceBytes(Group& group) {
    int64_t bytes = 0;
    for (Member& member : group.members) {
      bool read = llvm::any_of(group.members, [&](Member& other) {
        return llvm::is_contained(ProducersOf(other.equation), member.equation);
      });
      if (!read) continue;
      for (mlir::Type type : member.equation->getResultTypes()) {
        int64_t size = ElementBytes(mlir::cast<mlir::RankedTensorType>(type).getElementType());
        for (auto [position, extent] : llvm::enumerate(ExtentsOf(member.equation)))
          if (!llvm::is_contained(member.common, static_cast<int64_t>(position)))
            size *= EstimateSize(extent);
        bytes += size;
      }
    }
    return bytes;
  }

  // What is outside both groups, uses the first and is used by the second: they could not run as one. Null if
  // nothing is.
  mlir::Operation* FindBetween(size_t from, size_t to) {
    mlir::Block& block = function_.getBody().front();
    // A user, and the first statement on the way to it.
    SmallVector<std::pair<mlir::Operation*, mlir::Operation*>> todo;
    llvm::DenseSet<mlir::Operation*> seen;
    auto add_users = [&](mlir::Operation* op, mlir::Operation* way) {
      for (mlir::Operation* user : op->getUsers()) {
        mlir::Operation* statement = block.findAncestorOpInBlock(*user);
        auto group = group_of_.find(statement);
        if (!way && group != group_of_.end() && (group->second == from || group->second == to)) continue;
        todo.emplace_back(statement, way ? way : statement);
      }
    };
    for (Member& member : groups_[from].members) add_users(member.equation, nullptr);
    while (!todo.empty()) {
      auto [statement, way] = todo.pop_back_val();
      if (!seen.insert(statement).second) continue;
      auto group = group_of_.find(statement);
      if (group == group_of_.end()) {
        add_users(statement, way);
        continue;
      }
      if (group->second == to || group->second == from) return way;
      for (Member& member : groups_[group->second].members) {
        seen.insert(member.equation);
        add_users(member.equation, way);
      }
    }
    return nullptr;
  }

  void SetAttributes() {
    mlir::Builder builder(function_.getContext());
    for (auto [number, group] : llvm::enumerate(groups_)) {
      for (Member& member : group.members) {
        member.equation->setAttr("group", builder.getI64IntegerAttr(number));
        if (group.members.size() > 1)
          member.equation->setAttr("common", builder.getDenseI64ArrayAttr(member.common));
      }
    }
  }

  mlir::func::FuncOp function_;
  TargetDescription target_;  // its second-level cache and threads
  std::vector<Group> groups_;
  llvm::DenseMap<mlir::Operation*, size_t> group_of_;
};

struct GroupEquationsPass : impl::GroupEquationsBase<GroupEquationsPass> {
  using GroupEquationsBase::GroupEquationsBase;
  void runOnOperation() override {
    TargetDescription target;
    target.l2_bytes = l2Bytes, target.threads = threads;
    Grouper grouper(getOperation(), target);
    grouper.Run();
    grouper.NoteObstacles(explain);
  }
};

}  // namespace
}  // namespace weft::passes
