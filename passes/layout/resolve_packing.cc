#include "passes/layout/resolve_packing.h"

#include <map>

#include "compiler/ir/operand_name.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {
namespace {

using mlir::SmallVector;
using mlir::Value;

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string Text(const PackedPart& part) {
  std::string text = part.index;
  if (part.divisor > 1) text += " div " + std::to_string(part.divisor);
  if (part.modulus > 0) text += " % " + std::to_string(part.modulus);
  return text;
}

class Resolver {
 public:
  using Result = std::variant<SmallVector<PackedAxis>, PackingProblem>;

  Resolver(ir::ReadOp read, const Packing& packing) : read_(read), packing_(packing) {}

  Result Run() {
    if (!IsLoadTime(read_.getTensor()))
      return Problem(
          "is known only when a program runs; weights can be packed, and what is computed from "
          "weights alone");
    if (!IsInside(read_)) return Problem("is read outside of it too, and cannot be packed");
    if (!FindIndices()) return Problem("is read where data says, and cannot be packed");
    for (size_t place = 0; place < packing_.order.size(); ++place)
      if (auto problem = AddAxis(place)) return *problem;
    for (const auto& [index, name] : read_by_)
      if (auto problem = CheckParts(index, name)) return *problem;
    if (auto problem = CheckSize()) return *problem;
    NameAxes();
    return axes_;
  }

 private:
  PackingProblem Problem(const std::string& text, int64_t place = -1) const {
    return {packing_.operand, "`" + packing_.operand + "` " + text, place, "", {}};
  }

  // False: a subscript is more than a sum of indices.
  bool FindIndices() {
    auto around = IndicesAround(read_);
    auto type = mlir::cast<mlir::RankedTensorType>(read_.getTensor().getType());
    for (auto [axis, subscript] : llvm::enumerate(read_.getSubscripts())) {
      if (type.getDimSize(axis) == 1) continue;
      for (const LinearForm::Term& term : LinearFormOf(subscript).terms) {
        auto found = llvm::find_if(around, [&](const auto& entry) { return entry.second == term.atom; });
        if (found == around.end()) return false;
        if (!llvm::is_contained(read_by_, std::pair(found->second, found->first)))
          read_by_.emplace_back(found->second, found->first);
      }
    }
    return true;
  }

  std::vector<std::string> Known() const {
    std::vector<std::string> names;
    for (const auto& [index, name] : read_by_) names.push_back(name);
    return names;
  }

  std::optional<PackingProblem> AddAxis(size_t place) {
    const PackedPart& part = packing_.order[place];
    auto found = llvm::find_if(read_by_, [&](const auto& entry) { return entry.second == part.index; });
    if (found == read_by_.end()) {
      PackingProblem problem = Problem("is not read by `" + part.index + "`", static_cast<int64_t>(place));
      problem.missing = part.index, problem.known = Known();
      return problem;
    }
    std::optional<int64_t> length = LengthOf(found->first, read_);
    if (!length)
      return Problem("cannot be packed along `" + part.index + "`, whose length is known at run time only",
                     static_cast<int64_t>(place));
    axes_.push_back({found->first, *length, part.divisor, part.modulus, ""});
    return std::nullopt;
  }

  // The parts of an index, the finest first, each begin where those before end, and the last has no end.
  std::optional<PackingProblem> CheckParts(Value index, const std::string& name) const {
    std::map<int64_t, std::pair<int64_t, size_t>> parts;  // modulus and place by divisor
    for (size_t place = 0; place < axes_.size(); ++place)
      if (axes_[place].index == index) parts.insert({axes_[place].divisor, {axes_[place].modulus, place}});
    if (parts.empty())
      return Problem("is read by " + Listed(Known()) + ": `" + name + "` is missing in the order");
    int64_t reached = 1;
    for (const auto& [divisor, rest] : parts) {
      auto [modulus, place] = rest;
      if (reached == 0 || divisor < reached)
        return Problem("would be stored twice along a part of `" + name + "`", static_cast<int64_t>(place));
      if (divisor > reached) return Missing({name, reached, divisor / reached});
      reached = modulus > 0 ? divisor * modulus : 0;
    }
    if (reached > 0) return Missing({name, reached, 0});
    return std::nullopt;
  }

  PackingProblem Missing(const PackedPart& part) const {
    return Problem("is stored in a part of `" + part.index + "` only: `" + Text(part) +
                   "` is missing in the order");
  }

  // Windows that overlap would have elements several times.
  std::optional<PackingProblem> CheckSize() {
    int64_t read = 1;
    for (const auto& [index, name] : read_by_) read *= *LengthOf(index, read_);
    auto type = mlir::cast<mlir::RankedTensorType>(read_.getTensor().getType());
    if (read <= type.getNumElements()) return std::nullopt;
    return Problem("is read several times in each element: its indices are more than its elements");
  }

  // By what they are of an index, as the packing of contractions by default has them.
  void NameAxes() {
    bool blocked = llvm::any_of(axes_, [](const PackedAxis& axis) { return !axis.IsWhole(); });
    int outer = 0;
    std::map<std::string, int> taken;
    for (PackedAxis& axis : axes_) {
      bool of_domain =
          mlir::isa<ir::EquationOp>(mlir::cast<mlir::BlockArgument>(axis.index).getOwner()->getParentOp());
      if (!axis.IsWhole()) {
        axis.name = axis.modulus == 0 ? "block" : axis.divisor == 1 ? "lane" : "step";
      } else if (blocked && of_domain) {
        axis.name = "outer" + std::to_string(outer++);
      } else {
        auto bare = llvm::find(read_.getSubscripts(), axis.index);
        axis.name = "i" + std::to_string(bare - read_.getSubscripts().begin());
      }
      if (int number = taken[axis.name]++; number > 0) axis.name += "_" + std::to_string(number + 1);
    }
  }

  ir::ReadOp read_;
  const Packing& packing_;
  SmallVector<std::pair<mlir::BlockArgument, std::string>> read_by_;
  SmallVector<PackedAxis> axes_;
};

}  // namespace

SmallVector<ir::ReadOp> ReadsOf(ir::EquationOp equation, llvm::StringRef operand) {
  SmallVector<ir::ReadOp> reads;
  equation.getBody().walk([&](ir::ReadOp read) {
    if (ir::OperandNameOf(read) == operand) reads.push_back(read);
  });
  return reads;
}

std::vector<std::string> OperandsOf(ir::EquationOp equation) {
  std::vector<std::string> names;
  equation.getBody().walk([&](ir::ReadOp read) {
    std::string name = ir::OperandNameOf(read).str();
    if (!name.empty() && !llvm::is_contained(names, name)) names.push_back(name);
  });
  return names;
}

std::variant<SmallVector<PackedAxis>, PackingProblem> ResolvePacking(ir::ReadOp read,
                                                                     const Packing& packing) {
  return Resolver(read, packing).Run();
}

bool IsAsItLies(ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes) {
  auto type = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType());
  if (type.getRank() != static_cast<int64_t>(axes.size())) return false;
  return llvm::all_of(llvm::enumerate(axes), [&](auto entry) {
    const PackedAxis& axis = entry.value();
    auto at = static_cast<int64_t>(entry.index());
    return axis.IsWhole() && read.getSubscripts()[entry.index()] == axis.index &&
           axis.length == type.getDimSize(at);
  });
}

}  // namespace weft::passes
