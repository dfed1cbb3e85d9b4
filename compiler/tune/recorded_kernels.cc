#include "compiler/tune/recorded_kernels.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "compiler/driver/canonical_kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::tune {
namespace {

constexpr int64_t kMostWeightBytes = 256 << 20;  // copies of them take time, too

bool IsWeight(mlir::Value value) {
  return mlir::isa_and_nonnull<ir::WeightOp, ir::PreparedOp>(value.getDefiningOp());
}

// What launches in methods read of the program's weights: by kernel which operands, and how many bytes in
// all.
struct WeightReads {
  std::map<std::string, std::vector<bool>> operands;
  int64_t bytes = 0;
};

WeightReads FindWeightReads(mlir::ModuleOp module) {
  WeightReads reads;
  std::map<std::string, int64_t> bytes;
  module.walk([&](ir::LaunchOp launch) {
    auto function = launch->getParentOfType<mlir::func::FuncOp>();
    if (!function || function.isPrivate()) return;
    std::vector<bool> operands;
    for (mlir::Value input : launch.getInputs()) {
      if (!mlir::isa<mlir::RankedTensorType>(input.getType())) continue;
      operands.push_back(IsWeight(input));
      if (!IsWeight(input)) continue;
      auto type = mlir::cast<mlir::RankedTensorType>(input.getType());
      std::string name;
      if (auto weight = input.getDefiningOp<ir::WeightOp>()) {
        name = weight.getPath().str();
      } else {
        name = absl::StrCat("prepared ", input.getDefiningOp<ir::PreparedOp>().getPosition());
      }
      bytes[name] = type.getNumElements() * std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
    }
    reads.operands.try_emplace(launch.getCallee().str(), operands);
  });
  for (const auto& [name, size] : bytes) reads.bytes += size;
  return reads;
}

// How many bytes of weights must be read in turn for a kernel to find them as far away as in the program: in
// the cache of its core, in the shared one, or in memory.
int64_t WeightDistance(int64_t program_bytes, const backends::Target& target) {
  if (program_bytes <= target.l2_bytes / 2) return 0;
  if (program_bytes <= target.l3_bytes / 2) return 3 * target.l2_bytes;
  return std::min(2 * target.l3_bytes, kMostWeightBytes);
}

}  // namespace

std::map<std::string, KernelInterface> TunableKernels(const driver::ScheduledProgram& program) {
  std::map<std::string, KernelInterface> interfaces;
  for (const driver::Kernel& kernel : program.kernels) {
    bool has_loops = !kernel.schedule.equations.empty();
    std::optional<KernelInterface> interface = InterfaceOf(kernel.op);
    if (has_loops && !kernel.has_own_schedule && interface) interfaces[kernel.name] = *std::move(interface);
  }
  return interfaces;
}

std::vector<EqualKernels> GroupKernels(const driver::ScheduledProgram& program,
                                       std::map<std::string, KernelUse> uses,
                                       const std::map<std::string, KernelInterface>& interfaces,
                                       const backends::Target& target, int64_t threads) {
  WeightReads reads = FindWeightReads(*program.module);
  int64_t distance = WeightDistance(reads.bytes, target);
  std::map<std::string, EqualKernels> by_content;
  for (size_t i = 0; i < program.kernels.size(); ++i) {
    const driver::Kernel& kernel = program.kernels[i];
    auto used = uses.find(kernel.name);
    if (used == uses.end()) continue;
    KernelUse& use = used->second;
    std::vector<bool> is_weight = reads.operands[kernel.name];
    bool has_weights = std::find(is_weight.begin(), is_weight.end(), true) != is_weight.end();
    std::string content = absl::StrCat(driver::CanonicalText(kernel.op, kernel.schedule).kernel, "\nextents ",
                                       absl::StrJoin(use.call.extents, " "), "\nweights");
    for (bool weight : is_weight) absl::StrAppend(&content, weight ? " yes" : " no");
    absl::StrAppend(&content, " ", has_weights ? distance : 0);
    EqualKernels& equal = by_content[content];
    equal.members.push_back(i);
    equal.seconds += use.seconds;
    equal.launches += use.launches;
    if (equal.members.size() > 1) continue;
    equal.content = content;
    equal.task = {interfaces.at(kernel.name), std::move(use.call), std::move(is_weight), distance, threads};
  }
  std::vector<EqualKernels> groups;
  for (auto& [content, equal] : by_content) groups.push_back(std::move(equal));
  std::stable_sort(groups.begin(), groups.end(),
                   [](const EqualKernels& a, const EqualKernels& b) { return a.seconds > b.seconds; });
  return groups;
}

}  // namespace weft::tune
