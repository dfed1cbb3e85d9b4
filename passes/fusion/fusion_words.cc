#include "passes/fusion/fusion_words.h"

#include "mlir/IR/BuiltinOps.h"
#include "passes/fusion/passes.h"

namespace weft::passes {
namespace {

std::optional<llvm::StringRef> WordOf(ir::EquationOp equation) {
  auto module = equation->getParentOfType<mlir::ModuleOp>();
  auto words = module ? module->getAttrOfType<mlir::DictionaryAttr>(kFusion) : nullptr;
  auto path = equation.getPath();
  auto word = words && path ? words.getAs<mlir::StringAttr>(*path) : nullptr;
  if (!word) return std::nullopt;
  return word.getValue();
}

}  // namespace

bool IsAlone(ir::EquationOp equation) {
  std::optional<llvm::StringRef> word = WordOf(equation);
  return word && word->empty();
}

std::optional<llvm::StringRef> WantedKernel(ir::EquationOp equation) {
  std::optional<llvm::StringRef> word = WordOf(equation);
  return word && !word->empty() ? word : std::nullopt;
}

}  // namespace weft::passes
