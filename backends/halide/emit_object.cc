#include "backends/halide/emit_object.h"

#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/halide/scale_by_powers.h"
#include "backends/halide/store_tails.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"

namespace weft::backends {
namespace {

constexpr int64_t kMostElements = (int64_t{1} << 31) - 1;

// One rounding instead of two where a product is added or subtracted. The same everywhere in a kernel, so
// that the explicit fma of a function's definition is one, too.
void FuseMultiplyAdds(llvm::Function& function) {
  std::vector<llvm::Instruction*> fused;
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    if (llvm::isa<llvm::FPMathOperator>(&instruction)) instruction.setFastMathFlags(llvm::FastMathFlags());
  }
  for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
    auto* sum = llvm::dyn_cast<llvm::BinaryOperator>(&instruction);
    // f16 is rounded after each operation.
    if (!sum || sum->getType()->getScalarType()->isHalfTy()) continue;
    bool minus = sum->getOpcode() == llvm::Instruction::FSub;
    if (!minus && sum->getOpcode() != llvm::Instruction::FAdd) continue;
    for (int side : {0, 1}) {
      auto* product = llvm::dyn_cast<llvm::BinaryOperator>(sum->getOperand(side));
      if (!product || product->getOpcode() != llvm::Instruction::FMul) continue;
      llvm::IRBuilder<> builder(sum);
      llvm::Value* x = product->getOperand(0);
      llvm::Value* addend = sum->getOperand(1 - side);
      if (minus) (side == 0 ? addend : x) = builder.CreateFNeg(side == 0 ? addend : x);
      sum->replaceAllUsesWith(builder.CreateIntrinsic(llvm::Intrinsic::fma, {sum->getType()},
                                                      {x, product->getOperand(1), addend}));
      fused.push_back(sum);
      break;
    }
  }
  for (llvm::Instruction* instruction : fused) instruction->eraseFromParent();
}

// Halide asks for what is read once; these blocks are read many times, and only the level-2 cache holds them.
void PrefetchToSecondLevel(llvm::Function& function) {
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
    if (!call || call->getIntrinsicID() != llvm::Intrinsic::prefetch) continue;
    llvm::Type* i32 = call->getArgOperand(1)->getType();
    call->setArgOperand(1, llvm::ConstantInt::get(i32, 0));  // to read
    call->setArgOperand(2, llvm::ConstantInt::get(i32, 2));
  }
}

// Divisions stand as calls until here, for Halide and its LLVM take them out of the guards of their divisors.
void ExpandQuotients(llvm::Module& module) {
  for (llvm::Function& function : llvm::make_early_inc_range(module)) {
    llvm::StringRef name = function.getName();
    if (!function.isDeclaration() ||
        !name.consume_front(llvm::StringRef(kQuotientPrefix.data(), kQuotientPrefix.size())))
      continue;
    bool is_signed = name.starts_with("s");
    for (llvm::User* user : llvm::make_early_inc_range(function.users())) {
      auto* call = llvm::cast<llvm::CallInst>(user);
      llvm::IRBuilder<> builder(call);
      llvm::Value* dividend = builder.CreateFreeze(call->getArgOperand(0));
      llvm::Value* divisor = builder.CreateFreeze(call->getArgOperand(1));
      llvm::Type* type = call->getType();
      llvm::Value* traps = builder.CreateICmpEQ(divisor, llvm::ConstantInt::get(type, 0));
      if (is_signed) {
        auto least = llvm::APInt::getSignedMinValue(type->getIntegerBitWidth());
        llvm::Value* overflows =
            builder.CreateAnd(builder.CreateICmpEQ(divisor, llvm::ConstantInt::getSigned(type, -1)),
                              builder.CreateICmpEQ(dividend, llvm::ConstantInt::get(type, least)));
        traps = builder.CreateOr(traps, overflows);
      }
      divisor = builder.CreateSelect(traps, llvm::ConstantInt::get(type, 1), divisor);
      call->replaceAllUsesWith(is_signed ? builder.CreateSDiv(dividend, divisor)
                                         : builder.CreateUDiv(dividend, divisor));
      call->eraseFromParent();
    }
    function.eraseFromParent();
  }
}

class Shim {
 public:
  Shim(llvm::Module& module, const KernelAbi& abi)
      : module_(module), abi_(abi), builder_(module.getContext()) {}

  void Emit(llvm::Function* inner, absl::string_view symbol) {
    auto* pointer = llvm::PointerType::getUnqual(module_.getContext());
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(), {pointer, pointer, pointer}, false);
    function_ = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                       llvm::StringRef(symbol.data(), symbol.size()), module_);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", function_));
    std::vector<llvm::Value*> arguments = {function_->getArg(0)};
    int slot = 0;
    for (const AbiBuffer& buffer : abi_.inputs) arguments.push_back(Buffer(buffer, slot++));
    for (int scalar : abi_.scalars)
      arguments.push_back(builder_.CreateTrunc(Extent(scalar), builder_.getInt32Ty()));
    for (const AbiBuffer& buffer : abi_.outputs) arguments.push_back(Buffer(buffer, slot++));
    for (int i = 0; i < abi_.extent_count; ++i) {
      llvm::Value *extent = Extent(i), *most = builder_.getInt64(kLongestAxis);
      if (llvm::is_contained(abi_.offsets, i)) {
        extent = builder_.CreateAdd(extent, most);
        most = builder_.getInt64(2 * kLongestAxis);
      }
      Require(builder_.CreateICmpULE(extent, most));
    }
    llvm::BasicBlock* run = llvm::BasicBlock::Create(module_.getContext(), "run", function_);
    if (fits_) {
      llvm::BasicBlock* refuse = llvm::BasicBlock::Create(module_.getContext(), "refuse", function_);
      builder_.CreateCondBr(fits_, run, refuse);
      builder_.SetInsertPoint(refuse);
      builder_.CreateRet(builder_.getInt32(1));
    } else {
      builder_.CreateBr(run);
    }
    builder_.SetInsertPoint(run);
    // Halide declares its parameters by its own struct type; all are pointers here.
    builder_.CreateRet(builder_.CreateCall(inner, arguments));
  }

 private:
  void Require(llvm::Value* condition) { fits_ = fits_ ? builder_.CreateAnd(fits_, condition) : condition; }

  llvm::Value* Extent(int place) {
    llvm::Value* at = builder_.CreateConstInBoundsGEP1_64(builder_.getInt64Ty(), function_->getArg(2), place);
    return builder_.CreateLoad(builder_.getInt64Ty(), at);
  }

  void Store(llvm::Value* value, llvm::Value* base, int64_t offset) {
    builder_.CreateStore(value, builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), base, offset));
  }

  // A halide_buffer_t on the stack: device, device_interface, host, flags, type, dimensions, dim, padding.
  llvm::Value* Buffer(const AbiBuffer& buffer, int slot) {
    auto* pointer = llvm::PointerType::getUnqual(module_.getContext());
    llvm::Value* null = llvm::ConstantPointerNull::get(pointer);
    llvm::AllocaInst* made = builder_.CreateAlloca(llvm::ArrayType::get(builder_.getInt64Ty(), 7));
    made->setAlignment(llvm::Align(16));
    llvm::AllocaInst* dims = builder_.CreateAlloca(
        llvm::ArrayType::get(builder_.getInt32Ty(), 4 * std::max<size_t>(1, buffer.axes.size())));
    dims->setAlignment(llvm::Align(16));
    llvm::Value* host = builder_.CreateLoad(
        pointer, builder_.CreateConstInBoundsGEP1_64(pointer, function_->getArg(1), slot));
    Store(builder_.getInt64(0), made, 0);
    Store(null, made, 8);
    Store(host, made, 16);
    Store(builder_.getInt64(0), made, 24);
    Store(builder_.getInt32(buffer.type_code | buffer.type_bits << 8 | 1 << 16), made, 32);
    Store(builder_.getInt32(static_cast<int32_t>(buffer.axes.size())), made, 36);
    Store(dims, made, 40);
    Store(null, made, 48);
    llvm::Value* stride = builder_.getInt64(1);
    bool dynamic = false;
    for (size_t i = 0; i < buffer.axes.size(); ++i) {
      llvm::Value* extent = builder_.getInt64(1);
      for (AbiSize size : buffer.axes[i]) {
        dynamic |= size < 0;
        extent = builder_.CreateMul(
            extent, size >= 0 ? builder_.getInt64(size) : Extent(static_cast<int>(-1 - size)));
      }
      Store(builder_.getInt32(0), dims, 16 * i);
      Store(builder_.CreateTrunc(extent, builder_.getInt32Ty()), dims, 16 * i + 4);
      Store(builder_.CreateTrunc(stride, builder_.getInt32Ty()), dims, 16 * i + 8);
      Store(builder_.getInt32(0), dims, 16 * i + 12);
      stride = builder_.CreateMul(stride, extent);
      // Each factor is below 2^28, so a product that passed this test can be multiplied once more without
      // overflow.
      if (dynamic) Require(builder_.CreateICmpULE(stride, builder_.getInt64(kMostElements)));
    }
    return made;
  }

  llvm::Module& module_;
  const KernelAbi& abi_;
  llvm::IRBuilder<> builder_;
  llvm::Function* function_ = nullptr;
  llvm::Value* fits_ = nullptr;
};

void InitializeOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
}

void KeepOnly(llvm::Module& module, llvm::StringRef symbol, llvm::Function* inner) {
  int number = 0;
  for (llvm::GlobalObject& object : module.global_objects()) {
    if (object.isDeclaration() || object.getName() == symbol || object.getName().starts_with("llvm."))
      continue;
    object.setComdat(nullptr);
    object.setVisibility(llvm::GlobalValue::DefaultVisibility);
    object.setLinkage(llvm::GlobalValue::InternalLinkage);
    // Halide numbers its names by what a process compiled before; an object must not depend on that.
    object.setName(absl::StrCat(absl::string_view(symbol.data(), symbol.size()), ".", number++));
  }
  llvm::PassBuilder builder;
  llvm::ModuleAnalysisManager analyses;
  builder.registerModuleAnalyses(analyses);
  llvm::FunctionAnalysisManager functions;
  builder.registerFunctionAnalyses(functions);
  analyses.registerPass([&] { return llvm::FunctionAnalysisManagerModuleProxy(functions); });
  functions.registerPass([&] { return llvm::ModuleAnalysisManagerFunctionProxy(analyses); });
  llvm::GlobalDCEPass().run(module, analyses);
}

void SanitizeAddress(llvm::Module& module) {
  for (llvm::Function& function : module)
    if (!function.isDeclaration()) function.addFnAttr(llvm::Attribute::SanitizeAddress);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager call_graph;
  llvm::ModuleAnalysisManager analyses;
  llvm::PassBuilder builder;
  builder.registerModuleAnalyses(analyses);
  builder.registerCGSCCAnalyses(call_graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, call_graph, analyses);
  llvm::AddressSanitizerPass(llvm::AddressSanitizerOptions()).run(module, analyses);
}

}  // namespace

absl::StatusOr<std::string> EmitObject(absl::string_view bitcode, absl::string_view inner,
                                       absl::string_view symbol, const KernelAbi& abi, const Target& target,
                                       EmitKind kind) {
  InitializeOnce();
  llvm::LLVMContext context;
  auto buffer =
      llvm::MemoryBuffer::getMemBuffer(llvm::StringRef(bitcode.data(), bitcode.size()), "kernel", false);
  auto parsed = llvm::parseBitcodeFile(buffer->getMemBufferRef(), context);
  if (!parsed)
    return absl::InternalError(absl::StrCat("reading Halide's code: ", llvm::toString(parsed.takeError())));
  std::unique_ptr<llvm::Module> module = std::move(*parsed);
  llvm::Function* made = module->getFunction(llvm::StringRef(inner.data(), inner.size()));
  if (!made) return absl::InternalError(absl::StrCat("Halide's code has no function ", inner));

  std::string features = absl::StrJoin(target.features, ",");
  for (auto [theirs, ours] : {std::pair{"halide_malloc", "weft_malloc"}, {"halide_free", "weft_free"}}) {
    if (llvm::Function* function = module->getFunction(theirs)) function->setName(ours);
  }
  ExpandQuotients(*module);
  Shim(*module, abi).Emit(made, symbol);
  for (llvm::Function& function : *module) {
    FuseMultiplyAdds(function);
    ScaleByPowers(function, target);
    StoreTails(function, target);
    PrefetchToSecondLevel(function);
    function.removeFnAttr("target-features");
    function.removeFnAttr("tune-cpu");
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", features);
    // Some processors are tuned for shorter vectors than they have.
    function.addFnAttr("prefer-vector-width", std::to_string(8 * target.vector_bytes));
  }
  KeepOnly(*module, llvm::StringRef(symbol.data(), symbol.size()), made);
  std::string problem;
  llvm::raw_string_ostream problems(problem);
  if (llvm::verifyModule(*module, &problems))
    return absl::InternalError(absl::StrCat("kernel code: ", problem));

  std::string missing;
  const llvm::Triple triple("x86_64-unknown-linux-gnu");
  module->setTargetTriple(triple);
  const llvm::Target* machine_target = llvm::TargetRegistry::lookupTarget(triple, missing);
  if (!machine_target) return absl::InternalError(missing);
  std::unique_ptr<llvm::TargetMachine> machine(machine_target->createTargetMachine(
      triple, target.cpu, features, llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  module->setDataLayout(machine->createDataLayout());
  if (target.sanitize_address) SanitizeAddress(*module);
  llvm::SmallVector<char, 0> bytes;
  {
    llvm::raw_svector_ostream out(bytes);
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, out, nullptr,
                                     kind == EmitKind::kObject ? llvm::CodeGenFileType::ObjectFile
                                                               : llvm::CodeGenFileType::AssemblyFile)) {
      return absl::InternalError("no code generator for this target");
    }
    passes.run(*module);
  }
  return std::string(bytes.data(), bytes.size());
}

}  // namespace weft::backends
