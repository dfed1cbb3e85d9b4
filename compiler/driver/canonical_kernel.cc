#include "compiler/driver/canonical_kernel.h"

#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/schedule/kernel_view.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OwningOpRef.h"

namespace weft::driver {

namespace {

using backends::Directive;
using backends::DirectiveKind;
using Names = std::map<std::string, std::string>;

std::string Print(ir::KernelOp kernel) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, mlir::OpPrintingFlags().useLocalScope());
  return text;
}

// `count` names, numbered on from `next`.
mlir::ArrayAttr Numbered(mlir::Builder& builder, size_t count, int& next) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(absl::StrCat("i", next++));
  return builder.getStrArrayAttr(std::vector<llvm::StringRef>(names.begin(), names.end()));
}

void RenameByNumbers(ir::KernelOp kernel) {
  mlir::Builder builder(kernel->getContext());
  kernel.setSymName("kernel");
  kernel->removeAttr("path");
  int equations = 0;
  for (auto equation : kernel.getOps<ir::EquationOp>()) {
    int indices = 0;
    equation.setPathAttr(builder.getStringAttr(absl::StrCat("e", equations++)));
    equation.setNamesAttr(Numbered(builder, equation.getNames().size(), indices));
    equation.getBody().walk<mlir::WalkOrder::PreOrder>([&](ir::ReduceOp reduce) {
      reduce.setNamesAttr(Numbered(builder, reduce.getNames().size(), indices));
    });
  }
}

// From the names of an equation's loops to numbers: those of the equation itself, then those that its
// schedule makes, as they come.
class LoopNames {
 public:
  LoopNames(const backends::EquationLoops& named, const backends::EquationLoops& numbered) {
    for (size_t i = 0; i < named.domain.size(); ++i) names_[named.domain[i].name] = numbered.domain[i].name;
    for (size_t i = 0; i < named.reductions.size(); ++i)
      names_[named.reductions[i].name] = numbered.reductions[i].name;
  }
  void Make(const std::string& name) {
    if (auto [made, is_new] = names_.try_emplace(name); is_new) made->second = absl::StrCat("l", made_++);
  }
  // A name that there is not stays: the schedule is wrong, and that is said elsewhere.
  void Use(std::string& name) const {
    if (auto found = names_.find(name); found != names_.end()) name = found->second;
  }

 private:
  Names names_;
  int made_ = 0;
};

// Numbers the loops that the directives make; others may name them before that.
void Number(const std::vector<Directive>& directives, LoopNames& loops) {
  for (const Directive& directive : directives) {
    size_t made = directive.kind == DirectiveKind::kSplit  ? 2
                  : directive.kind == DirectiveKind::kJoin ? 1
                                                           : 0;
    for (size_t i = directive.names.size() - made; i < directive.names.size(); ++i)
      loops.Make(directive.names[i]);
  }
}

bool NamesPlace(const Directive& directive) {
  return directive.kind == DirectiveKind::kAt || directive.kind == DirectiveKind::kTranspose;
}

// Of the equations that `name` is, or ends, the path of: its number, or -1.
int NumberOf(const std::string& name, const backends::Schedule& schedule) {
  int ending = -1;
  for (size_t i = 0; i < schedule.equations.size(); ++i) {
    if (schedule.equations[i].path == name) return static_cast<int>(i);
    if (absl::EndsWith(schedule.equations[i].path, absl::StrCat(".", name))) ending = static_cast<int>(i);
  }
  return ending;
}

// A place inside loop names[1] of equation names[0]; no equation: this one.
void RenamePlace(Directive& directive, size_t own, const backends::Schedule& named,
                 const std::vector<LoopNames>& loops) {
  if (directive.names.size() < 2) return;
  int holder = directive.names[0].empty() ? static_cast<int>(own) : NumberOf(directive.names[0], named);
  if (holder < 0) return;
  if (!directive.names[0].empty()) directive.names[0] = absl::StrCat("e", holder);
  loops[holder].Use(directive.names[1]);
}

backends::Schedule Renamed(const backends::Schedule& named, const backends::KernelView& before,
                           const backends::KernelView& after) {
  backends::Schedule schedule = named;
  std::vector<LoopNames> loops;
  for (size_t i = 0; i < schedule.equations.size(); ++i) {
    loops.emplace_back(before.equations[i].loops, after.equations[i].loops);
    Number(schedule.equations[i].directives, loops[i]);
    schedule.equations[i].path = after.equations[i].loops.path;
  }
  for (size_t i = 0; i < schedule.equations.size(); ++i) {
    for (Directive& directive : schedule.equations[i].directives) {
      if (NamesPlace(directive)) {
        RenamePlace(directive, i, named, loops);
      } else {
        for (std::string& name : directive.names) loops[i].Use(name);
      }
    }
  }
  return schedule;
}

}  // namespace

KernelText CanonicalText(ir::KernelOp kernel, const backends::Schedule& schedule) {
  mlir::OwningOpRef<ir::KernelOp> copy = kernel.clone();
  RenameByNumbers(*copy);
  return {Print(*copy), backends::PrintSchedule(
                            Renamed(schedule, backends::ViewKernel(kernel), backends::ViewKernel(*copy)))};
}

std::string KernelFingerprint(ir::KernelOp kernel, const backends::Target& target) {
  mlir::OwningOpRef<ir::KernelOp> copy = kernel.clone();
  RenameByNumbers(*copy);
  llvm::BLAKE3 hasher;
  hasher.update(backends::Describe(target));
  hasher.update(Print(*copy));
  return llvm::toHex(hasher.final<8>(), true);
}

KernelText NamedText(ir::KernelOp kernel, const backends::Schedule& schedule) {
  return {Print(kernel), backends::PrintSchedule(schedule)};
}

}  // namespace weft::driver
