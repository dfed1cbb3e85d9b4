#include "backends/host/emit_host.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/host/function_code.h"
#include "backends/host/program_view.h"
#include "backends/host/table_code.h"
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
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

namespace weft::backends {
namespace {

void BuildLowering(mlir::PassManager& manager) {
  manager.addPass(mlir::arith::createArithExpandOpsPass());
  manager.addPass(mlir::createSCFToControlFlowPass());
  manager.addPass(mlir::createConvertMathToLLVMPass());
  manager.addPass(mlir::createConvertMathToLibmPass());
  manager.addPass(mlir::createArithToLLVMConversionPass());
  manager.addPass(mlir::createConvertControlFlowToLLVMPass());
  manager.addPass(mlir::createConvertFuncToLLVMPass());
  manager.addPass(mlir::createReconcileUnrealizedCastsPass());
}

mlir::LogicalResult AddFunctions(const ProgramView& program, const HostOptions& options,
                                 mlir::ModuleOp module) {
  std::vector<ProgramMethod> methods = program.methods;
  methods.insert(methods.end(), program.initial_values.begin(), program.initial_values.end());
  for (const ProgramMethod& method : methods)
    for (mlir::func::FuncOp code : method.codes)
      for (HostFunction kind : {HostFunction::kShapes, HostFunction::kRun})
        if (mlir::failed(AddHostFunction(kind, code, program, options.kernel_symbols,
                                         kind == HostFunction::kShapes ? ShapesSymbol(code) : RunSymbol(code),
                                         module)))
          return mlir::failure();
  if (!program.prepare) return mlir::success();
  return AddHostFunction(HostFunction::kRun, program.prepare, program, options.kernel_symbols, kPrepareSymbol,
                         module);
}

}  // namespace

absl::StatusOr<std::string> EmitHost(mlir::ModuleOp source, const Target& target,
                                     const HostOptions& options) {
  absl::StatusOr<ProgramView> program = ViewProgram(source);
  if (!program.ok()) return program.status();

  mlir::MLIRContext* context = source.getContext();
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                       mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();

  std::string errors;
  mlir::ScopedDiagnosticHandler handler(context, [&](mlir::Diagnostic& diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      absl::StrAppend(&errors, errors.empty() ? "" : "; ", diagnostic.str());
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(source.getLoc());
  if (mlir::failed(AddFunctions(*program, options, *module)))
    return absl::InvalidArgumentError(absl::StrCat("making host code: ", errors));
  mlir::PassManager manager(context);
  BuildLowering(manager);
  if (mlir::failed(manager.run(*module)))
    return absl::InternalError(absl::StrCat("lowering host code: ", errors));

  llvm::LLVMContext llvm_context;
  std::unique_ptr<llvm::Module> llvm_module = mlir::translateModuleToLLVMIR(*module, llvm_context);
  if (!llvm_module) return absl::InternalError(absl::StrCat("translating host code to LLVM: ", errors));
  if (absl::Status status = AddProgramTable(source, *program, target, options, *llvm_module); !status.ok())
    return status;
  // The program must get as far as the runtime's check on any processor: nothing here is for a special one.
  Target plain = target;
  plain.cpu = "x86-64";
  plain.features.clear();
  return EmitLlvmModule(*llvm_module, plain, LoopsOptions());
}

}  // namespace weft::backends
