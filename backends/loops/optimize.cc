#include "backends/loops/optimize.h"

#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"

namespace weft::backends {
namespace {

absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> MachineFor(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  const llvm::Target* backend = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backend) return absl::InternalError(error);
  // The code generator moves bf16 values between blocks through the processor's conversion to bf16 where
  // there is one, and that flushes denormals.
  std::string features = absl::StrCat(absl::StrJoin(target.features, ","), ",-avx512bf16,-avxneconvert");
  std::unique_ptr<llvm::TargetMachine> machine(
      backend->createTargetMachine(triple, target.cpu, features, llvm::TargetOptions(), llvm::Reloc::PIC_));
  if (!machine) return absl::InternalError(absl::StrCat("no code generator for ", target.cpu));
  return machine;
}

void Optimize(llvm::Module& module, llvm::TargetMachine& machine, bool sanitize_address) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager call_graph;
  llvm::ModuleAnalysisManager modules;
  // The vectorizer takes minutes for a long body in a loop that it does not depend on, and sums keep their
  // order anyway.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(call_graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, call_graph, modules);
  llvm::ModulePassManager passes = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
  if (sanitize_address) {
    for (llvm::Function& function : module) {
      if (!function.isDeclaration()) function.addFnAttr(llvm::Attribute::SanitizeAddress);
    }
    passes.addPass(llvm::AddressSanitizerPass(llvm::AddressSanitizerOptions()));
  }
  passes.run(module, modules);
}

}  // namespace

absl::StatusOr<std::string> EmitLlvmModule(llvm::Module& module, const Target& target,
                                           const LoopsOptions& options) {
  absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> machine = MachineFor(target);
  if (!machine.ok()) return machine.status();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  std::string errors;
  llvm::raw_string_ostream error_stream(errors);
  if (llvm::verifyModule(module, &error_stream)) return absl::InternalError(errors);
  if (options.output == LoopsOutput::kLlvm) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return text;
  }
  Optimize(module, **machine, target.sanitize_address);

  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager emit;
  auto kind = options.output == LoopsOutput::kAssembly ? llvm::CodeGenFileType::AssemblyFile
                                                       : llvm::CodeGenFileType::ObjectFile;
  if ((*machine)->addPassesToEmitFile(emit, stream, nullptr, kind)) {
    return absl::InternalError("the code generator cannot write this kind of file");
  }
  emit.run(module);
  return std::string(bytes);
}

}  // namespace weft::backends
