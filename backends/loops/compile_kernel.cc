#include "backends/loops/compile_kernel.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/loops/kernel_to_loops.h"
#include "backends/loops/optimize.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "passes/math/passes.h"

namespace weft::backends {
namespace {

// The passes that widen f16 and bf16 allow the rounding between two operations to be left out. Here it stays.
class KeepRoundings : public mlir::PassWrapper<KeepRoundings, mlir::OperationPass<>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KeepRoundings)
  void runOnOperation() override {
    auto none = mlir::arith::FastMathFlagsAttr::get(&getContext(), mlir::arith::FastMathFlags::none);
    getOperation()->walk([&](mlir::Operation* op) {
      if (auto extend = mlir::dyn_cast<mlir::arith::ExtFOp>(op)) extend.setFastmathAttr(none);
      if (auto round = mlir::dyn_cast<mlir::arith::TruncFOp>(op)) round.setFastmathAttr(none);
    });
  }
};

// From scalars and loops to the LLVM dialect, in order.
void BuildLowering(mlir::PassManager& manager) {
  manager.addPass(passes::createExpandMath());
  // What is left of real functions on f16 and bf16 is computed in f32 and rounded.
  manager.addPass(
      mlir::math::createMathExtendToSupportedTypes({.extraTypeStrs = {"f32"}, .targetTypeStr = "f32"}));
  // No arithmetic in f16 and bf16 is left to the code generator: for processors without it, it calls
  // functions that not every compiler's library has.
  mlir::arith::ArithEmulateUnsupportedFloatsOptions narrow;
  narrow.sourceTypeStrs = {"bf16", "f16"};
  narrow.targetTypeStr = "f32";
  manager.addPass(mlir::arith::createArithEmulateUnsupportedFloats(narrow));
  manager.addPass(std::make_unique<KeepRoundings>());
  mlir::arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  manager.addPass(mlir::arith::createArithExpandOpsPass(expand));
  manager.addPass(mlir::createSCFToControlFlowPass());
  manager.addPass(mlir::createConvertMathToLLVMPass());
  manager.addPass(mlir::createConvertMathToLibmPass());
  manager.addPass(mlir::createArithToLLVMConversionPass());
  manager.addPass(mlir::createConvertControlFlowToLLVMPass());
  manager.addPass(mlir::createConvertFuncToLLVMPass());
  manager.addPass(mlir::createReconcileUnrealizedCastsPass());
}

}  // namespace

absl::StatusOr<std::string> CompileWithLoops(ir::KernelOp kernel, const Target& target,
                                             absl::string_view symbol, const LoopsOptions& options) {
  // A context of its own, so that kernels of one module can be compiled at the same time: the text carries
  // everything over.
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, mlir::OpPrintingFlags().useLocalScope());

  mlir::DialectRegistry registry;
  registry.insert<ir::WeftDialect, mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                  mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();

  std::string errors;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic& diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error) {
      absl::StrAppend(&errors, errors.empty() ? "" : "; ", diagnostic.str());
    }
  });
  auto failure = [&](absl::string_view doing) {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel ", std::string(kernel.getSymName()), ", ", doing, ": ", errors));
  };

  mlir::OwningOpRef<mlir::ModuleOp> source = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!source) return failure("reading it back");
  auto copy = *source->getOps<ir::KernelOp>().begin();
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(copy.getLoc());
  if (mlir::failed(TranslateToLoops(copy, symbol, options.check_reads, *module)))
    return failure("making loops");

  mlir::PassManager manager(&context);
  BuildLowering(manager);
  if (mlir::failed(manager.run(*module))) return failure("lowering the loops");

  llvm::LLVMContext llvm_context;
  std::unique_ptr<llvm::Module> llvm_module = mlir::translateModuleToLLVMIR(*module, llvm_context);
  if (!llvm_module) return failure("translating to LLVM");
  return EmitLlvmModule(*llvm_module, target, options);
}

}  // namespace weft::backends
