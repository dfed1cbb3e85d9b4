#include "backends/schedule/joins.h"

#include <algorithm>
#include <map>
#include <vector>

#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {
namespace {

// Loop pairs and axis pairs that stand or fall together, as disjoint sets.
class PairSets {
 public:
  int Id(const void* owner, int position) {
    auto [it, added] = ids_.try_emplace({owner, position}, static_cast<int>(parent_.size()));
    if (added) {
      parent_.push_back(it->second);
      good_.push_back(true);
    }
    return it->second;
  }
  int Root(int id) {
    while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
    return id;
  }
  void Link(int a, int b) {
    a = Root(a), b = Root(b);
    if (a == b) return;
    parent_[b] = a;
    good_[a] = good_[a] && good_[b];
  }
  void Spoil(int id) { good_[Root(id)] = false; }
  bool Good(int id) { return good_[Root(id)]; }

 private:
  std::map<std::pair<const void*, int>, int> ids_;
  std::vector<int> parent_;
  std::vector<bool> good_;
};

int64_t AxisExtent(mlir::Value tensor, int axis) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
  return type.isDynamicDim(axis) ? kUnknown : type.getDimSize(axis);
}

struct Place {
  mlir::Operation* owner = nullptr;
  int position = 0;
  int64_t extent = kUnknown;
};

}  // namespace

Joins FindJoins(const KernelView& kernel, const std::set<std::pair<mlir::Operation*, int>>* only) {
  PairSets pairs;
  std::map<const void*, Place> places;  // of indices
  std::vector<std::pair<mlir::Operation*, int>> loop_pairs;
  std::map<const void*, std::vector<mlir::Value>> tensors;  // by opaque pointer, one value each

  auto add_loops = [&](mlir::Operation* owner, const std::vector<mlir::Value>& indices,
                       const std::vector<int64_t>& extents, bool joinable) {
    for (size_t i = 0; i < indices.size(); ++i) {
      places[indices[i].getAsOpaquePointer()] = {owner, static_cast<int>(i), extents[i]};
      if (i + 1 == indices.size()) continue;
      int id = pairs.Id(owner, static_cast<int>(i));
      loop_pairs.push_back({owner, static_cast<int>(i)});
      if (!joinable || (only && !only->count({owner, static_cast<int>(i)}))) pairs.Spoil(id);
    }
  };
  for (const EquationView& equation : kernel.equations) {
    std::vector<int64_t> extents;
    for (const LoopInfo& loop : equation.loops.domain) extents.push_back(loop.extent);
    add_loops(equation.op, equation.indices, extents, true);
    for (const ReduceView& reduce : equation.reduces) {
      bool joinable = reduce.kind != ReduceKind::kArgMax && reduce.kind != ReduceKind::kArgMin &&
                      reduce.kind != ReduceKind::kFirst && reduce.kind != ReduceKind::kLast;
      std::vector<int64_t> sizes;
      for (size_t i = 0; i < reduce.indices.size(); ++i) {
        int64_t low = 0, high = 0;
        bool whole =
            ConstantIndex(reduce.lower[i], &low) && low == 0 && ConstantIndex(reduce.upper[i], &high);
        sizes.push_back(whole ? high : kUnknown);
        joinable &= whole;
      }
      add_loops(reduce.op, reduce.indices, sizes, joinable);
    }
  }

  auto tensor_pair = [&](mlir::Value tensor, int axis) {
    return pairs.Id(tensor.getAsOpaquePointer(), axis);
  };
  for (const EquationView& equation : kernel.equations) {
    for (mlir::Value result : equation.results) {
      tensors[result.getAsOpaquePointer()] = {result};
      for (int axis = 0; axis + 1 < static_cast<int>(equation.indices.size()); ++axis) {
        pairs.Link(tensor_pair(result, axis), pairs.Id(equation.op, axis));
      }
    }
    for (const ReadView& read : equation.reads) {
      tensors[read.tensor.getAsOpaquePointer()] = {read.tensor};
      for (size_t axis = 0; axis + 1 < read.subscripts.size(); ++axis) {
        int id = tensor_pair(read.tensor, static_cast<int>(axis));
        auto first = places.find(read.subscripts[axis].getAsOpaquePointer());
        auto second = places.find(read.subscripts[axis + 1].getAsOpaquePointer());
        bool side_by_side =
            first != places.end() && second != places.end() && first->second.owner == second->second.owner &&
            second->second.position == first->second.position + 1 && read.outside[axis] == Outside::kInside &&
            read.outside[axis + 1] == Outside::kInside && second->second.extent >= 0 &&
            second->second.extent == AxisExtent(read.tensor, static_cast<int>(axis) + 1);
        if (side_by_side) {
          pairs.Link(id, pairs.Id(first->second.owner, first->second.position));
        } else {
          pairs.Spoil(id);
        }
      }
    }
  }

  // An index may stand nowhere but in such a pair of subscripts.
  for (auto [owner, position] : loop_pairs) {
    int id = pairs.Id(owner, position);
    for (const auto& [key, place] : places) {
      if (place.owner != owner || (place.position != position && place.position != position + 1)) continue;
      mlir::Value index = mlir::Value::getFromOpaquePointer(key);
      for (mlir::OpOperand& use : index.getUses()) {
        bool linked = false;
        for (const EquationView& equation : kernel.equations) {
          for (const ReadView& read : equation.reads) {
            if (read.op != use.getOwner()) continue;
            linked = true;
            int uses = 0;
            for (size_t axis = 0; axis < read.subscripts.size(); ++axis) {
              if (read.subscripts[axis] != index) continue;
              ++uses;
              int first_axis = static_cast<int>(axis) - (place.position - position);
              // Its neighbour must be beside it, which the loop above has linked if so.
              bool beside = first_axis >= 0 && first_axis + 1 < static_cast<int>(read.subscripts.size()) &&
                            pairs.Root(tensor_pair(read.tensor, first_axis)) == pairs.Root(id);
              if (!beside) pairs.Spoil(id);
            }
            if (uses != 1) pairs.Spoil(id);
          }
        }
        if (!linked) pairs.Spoil(id);
      }
    }
  }

  Joins joins;
  for (auto [owner, position] : loop_pairs) {
    if (pairs.Good(pairs.Id(owner, position))) joins.loops.insert({owner, position});
  }
  for (const auto& [key, values] : tensors) {
    auto type = mlir::cast<mlir::RankedTensorType>(values[0].getType());
    for (int axis = 0; axis + 1 < type.getRank(); ++axis) {
      if (pairs.Good(pairs.Id(key, axis))) joins.axes.insert({key, axis});
    }
  }
  return joins;
}

std::set<std::pair<mlir::Operation*, int>> JoinedPairs(const EquationView& equation,
                                                       const std::vector<std::vector<std::string>>& joins) {
  std::set<std::pair<mlir::Operation*, int>> pairs;
  for (const std::vector<std::string>& join : joins) {
    auto add = [&](mlir::Operation* owner, auto name_at, size_t count) {
      for (size_t p = 0; p + 1 < count; ++p) {
        auto at = std::find(join.begin(), join.end() - 1, name_at(p));
        if (at != join.end() - 1 && at + 1 != join.end() - 1 && *(at + 1) == name_at(p + 1)) {
          pairs.insert({owner, static_cast<int>(p)});
        }
      }
    };
    const auto& domain = equation.loops.domain;
    add(equation.op, [&](size_t p) { return domain[p].name; }, domain.size());
    for (const ReduceView& reduce : equation.reduces) {
      add(reduce.op, [&](size_t p) { return reduce.loops[p]; }, reduce.loops.size());
    }
  }
  return pairs;
}

}  // namespace weft::backends
