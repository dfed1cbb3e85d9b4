#include "compiler/profile/program_kernels.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "backends/schedule/kernel_view.h"
#include "backends/schedule/loop_nest.h"
#include "compiler/ir/location.h"
#include "compiler/ir/until.h"
#include "compiler/ir/variant.h"
#include "compiler/profile/source_places.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"

namespace weft::profile {
namespace {

using mlir::Value;

std::vector<std::string> Texts(mlir::Operation* op, const char* attribute) {
  std::vector<std::string> texts;
  if (auto list = op->getAttrOfType<mlir::ArrayAttr>(attribute))
    for (mlir::Attribute text : list) texts.push_back(mlir::cast<mlir::StringAttr>(text).str());
  return texts;
}

std::string NameOf(ir::LaunchOp launch) {
  auto path = launch->getAttrOfType<mlir::StringAttr>("path");
  return path ? path.str() : launch.getCallee().str();
}

KernelTensor TensorOf(mlir::Type type) {
  auto tensor = mlir::cast<mlir::RankedTensorType>(type);
  KernelTensor made{backends::ElementBytes(tensor.getElementType()), {}};
  for (int64_t size : tensor.getShape()) made.shape.push_back(mlir::ShapedType::isDynamic(size) ? -1 : size);
  return made;
}

// Why what is no group of equations is a kernel by itself; empty for such a group.
std::string WhyAlone(const std::string& kernel_class) {
  static const auto& why = *new std::map<std::string, std::string>{
      {"sort", "a sort is a call of the runtime"},
      {"segments", "segments are a call of the runtime"},
      {"filter", "a filter is a call of the runtime"},
      {"update", "an update in place is a kernel of its own"},
      {"extern", "an op in C is a kernel of its own"},
      {"recurrence", "all steps of a small recurrence are one kernel"},
  };
  auto found = why.find(kernel_class);
  return found == why.end() ? "" : found->second;
}

class Viewer {
 public:
  Viewer(const driver::ScheduledProgram& scheduled, const backends::ProgramView& view,
         const dsl::Program& program, const dsl::SourceManager& sources)
      : module_(*scheduled.module), view_(view), places_(program, sources) {
    for (const driver::Kernel& kernel : scheduled.kernels) kernels_[kernel.name] = &kernel;
    module_.walk([&](ir::IterateOp iterate) { iterates_[StepOf(iterate)] = iterate; });
  }

  std::vector<MethodKernels> Run() {
    std::vector<MethodKernels> methods;
    for (const backends::ProgramMethod& method : view_.methods) {
      for (mlir::func::FuncOp code : method.codes) {
        std::string name = mlir::func::FuncOp(method.function).getSymName().str();
        methods.push_back({name, ir::VariantSizes(code, " = ", ", "), LaunchesOf(code)});
      }
    }
    MethodKernels start{"", "", {}};
    std::vector<mlir::func::FuncOp> functions;
    if (view_.prepare) functions.push_back(view_.prepare);
    for (const backends::ProgramMethod& initial : view_.initial_values) functions.push_back(initial.function);
    for (mlir::func::FuncOp function : functions)
      for (Launch& launch : LaunchesOf(function)) start.launches.push_back(std::move(launch));
    if (!start.launches.empty()) methods.push_back(std::move(start));
    return methods;
  }

 private:
  mlir::func::FuncOp StepOf(ir::IterateOp iterate) {
    return module_.lookupSymbol<mlir::func::FuncOp>(iterate.getCallee());
  }

  std::vector<Launch> LaunchesOf(mlir::func::FuncOp function) {
    std::map<int32_t, Launch> launches;
    Add(function, 1, launches);
    std::vector<Launch> list;
    for (auto& [number, launch] : launches) list.push_back(std::move(launch));
    return list;
  }

  // `times`: how often the function runs in one run of the method.
  void Add(mlir::func::FuncOp function, std::optional<double> times, std::map<int32_t, Launch>& launches) {
    function.walk([&](mlir::Operation* op) {
      if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) {
        auto [place, is_new] = launches.try_emplace(view_.launch_numbers.lookup(op));
        if (is_new) place->second = Describe(launch);
        std::optional<double>& calls = place->second.calls;
        calls = is_new ? times : calls && times ? std::optional(*calls + *times) : std::nullopt;
      } else if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op)) {
        std::optional<int64_t> steps = mlir::getConstantIntValue(iterate.getExtent());
        bool known = times && steps && !ir::EndsEarly(iterate);
        Add(StepOf(iterate), known ? std::optional(*times * static_cast<double>(*steps)) : std::nullopt,
            launches);
      }
    });
  }

  Launch Describe(ir::LaunchOp op) {
    Launch launch;
    launch.number = view_.launch_numbers.lookup(op);
    launch.kernel = op.getCallee().str();
    launch.name = NameOf(op);
    auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<ir::KernelOp>(op, op.getCalleeAttr());
    if (auto name = kernel->getAttrOfType<mlir::StringAttr>("class")) launch.kernel_class = name.str();
    launch.equations = EquationsOf(op);
    for (Value input : op.getInputs())
      if (mlir::isa<mlir::RankedTensorType>(input.getType())) launch.operands.push_back(OperandOf(input));
    for (mlir::Type type : op.getResultTypes()) launch.results.push_back(TensorOf(type));
    launch.apart = ApartOf(op, launch);
    if (auto found = kernels_.find(launch.kernel); found != kernels_.end())
      AddParallel(*found->second, launch);
    return launch;
  }

  std::vector<KernelEquation> EquationsOf(ir::LaunchOp op) {
    std::string own;
    if (mlir::FileLineColLoc place = ir::FilePlace(op.getLoc()))
      own = absl::StrCat(place.getFilename().str(), ":", place.getLine());
    std::vector<std::string> written = Texts(op, "paths"), names = Texts(op, "names");
    if (written.empty()) return {{{NameOf(op), own}, {}}};
    auto fused = op->getAttrOfType<mlir::ArrayAttr>("fused");
    std::vector<KernelEquation> equations;
    for (size_t i = 0; i < written.size(); ++i) {
      std::string place = places_.Find(written[i]);
      KernelEquation made{{i < names.size() ? names[i] : written[i], place.empty() ? own : place}, {}};
      if (fused)
        for (mlir::Attribute part : mlir::cast<mlir::ArrayAttr>(fused[i])) {
          std::string path = mlir::cast<mlir::StringAttr>(part).str();
          made.fused.push_back({path, places_.Find(path)});
        }
      equations.push_back(std::move(made));
    }
    return equations;
  }

  Operand OperandOf(Value value) {
    Operand operand = OriginOf(value);
    operand.tensor = TensorOf(value.getType());
    return operand;
  }

  // Through views, and through the steps of recurrences: where it is computed.
  Operand OriginOf(Value value) {
    mlir::Operation* op = value.getDefiningOp();
    if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value)) return OriginOfArgument(argument);
    if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op))
      return {Operand::Kind::kKernel, NameOf(launch), view_.launch_numbers.lookup(op), {}};
    if (auto weight = mlir::dyn_cast<ir::WeightOp>(op))
      return {Operand::Kind::kWeight, weight.getPath().str(), -1, {}};
    if (auto prepared = mlir::dyn_cast<ir::PreparedOp>(op)) return OriginOfPrepared(prepared);
    if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op)) {
      unsigned number = mlir::cast<mlir::OpResult>(value).getResultNumber();
      auto slices = StepOf(iterate).getBody().front().getTerminator()->getOperands();
      for (auto [state, slice] : llvm::zip(iterate.getStates(), slices))
        if (state.result == static_cast<int>(number)) return OriginOf(slice);
    }
    if (mlir::isa<mlir::arith::ConstantOp>(op)) return {Operand::Kind::kConstant, "constant", -1, {}};
    if (op->getNumOperands() > 0 && mlir::isa<mlir::RankedTensorType>(op->getOperand(0).getType()))
      return OriginOf(op->getOperand(0));
    return {Operand::Kind::kInput, "", -1, {}};
  }

  Operand OriginOfArgument(mlir::BlockArgument argument) {
    auto function = mlir::cast<mlir::func::FuncOp>(argument.getOwner()->getParentOp());
    unsigned number = argument.getArgNumber();
    if (auto found = iterates_.find(function); found != iterates_.end()) {
      mlir::ValueRange inputs = ir::IterateOp(found->second).getInputs();
      unsigned first = function.getNumArguments() - static_cast<unsigned>(inputs.size());
      if (number >= first) return OriginOf(inputs[number - first]);
      return {Operand::Kind::kInput, "the steps before", -1, {}};
    }
    auto name = function.getArgAttrOfType<mlir::StringAttr>(number, "weft.name");
    return {Operand::Kind::kInput, name ? name.str() : "", -1, {}};
  }

  Operand OriginOfPrepared(ir::PreparedOp prepared) {
    Value made = mlir::func::FuncOp(view_.prepare)
                     .getBody()
                     .front()
                     .getTerminator()
                     ->getOperand(static_cast<unsigned>(prepared.getPosition()));
    Operand origin = OriginOf(made);  // a view of it, perhaps
    return {Operand::Kind::kWeight, origin.name, -1, {}};
  }

  std::vector<std::pair<std::string, std::string>> ApartOf(ir::LaunchOp op, const Launch& launch) {
    std::vector<std::pair<std::string, std::string>> apart;
    std::set<std::string> said;
    if (auto from = op->getAttrOfType<mlir::DictionaryAttr>("apart"))
      for (mlir::NamedAttribute because : from) {
        said.insert(because.getName().str());
        apart.emplace_back(because.getName().str(), mlir::cast<mlir::StringAttr>(because.getValue()).str());
      }
    for (const Operand& operand : launch.operands) {
      if (operand.from < 0 || said.contains(operand.name)) continue;
      ir::LaunchOp maker = view_.launches[static_cast<size_t>(operand.from)];
      std::vector<std::string> made = Texts(maker, "paths");
      if (std::any_of(made.begin(), made.end(), [&](const auto& path) { return said.contains(path); }))
        continue;
      said.insert(operand.name);
      if (std::string why = WhyApart(maker, op, launch.kernel_class); !why.empty())
        apart.emplace_back(operand.name, why);
    }
    return apart;
  }

  std::string WhyApart(ir::LaunchOp maker, ir::LaunchOp reader, const std::string& reader_class) {
    if (maker->getParentOp() != reader->getParentOp()) return "one is in the steps of a recurrence";
    if (std::string why = WhyAlone(reader_class); !why.empty()) return why;
    auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<ir::KernelOp>(maker, maker.getCalleeAttr());
    auto name = kernel->getAttrOfType<mlir::StringAttr>("class");
    return name ? WhyAlone(name.str()) : "";
  }

  // What threads share, as the kernel's schedule says.
  void AddParallel(const driver::Kernel& kernel, Launch& launch) {
    backends::KernelView view = backends::ViewKernel(kernel.op);
    for (size_t i = 0; i < view.equations.size() && i < kernel.schedule.equations.size(); ++i) {
      auto nest = backends::ResolveLoops(view.equations[i].loops, kernel.schedule.equations[i]);
      if (!nest.ok() || nest->placed || nest->inlined) continue;
      std::optional<int64_t> tasks = 1;
      launch.parallel.clear();
      for (const backends::NestLoop& loop : nest->loops) {
        if (!loop.parallel) continue;
        launch.parallel.push_back(loop.name);
        tasks =
            tasks && loop.extent != backends::kUnknown ? std::optional(*tasks * loop.extent) : std::nullopt;
      }
      launch.tasks = launch.parallel.empty() ? std::nullopt : tasks;
    }
  }

  mlir::ModuleOp module_;
  const backends::ProgramView& view_;
  SourcePlaces places_;
  std::map<std::string, const driver::Kernel*> kernels_;
  llvm::DenseMap<mlir::Operation*, ir::IterateOp> iterates_;  // by their step
};

}  // namespace

std::vector<MethodKernels> KernelsOfProgram(const driver::ScheduledProgram& scheduled,
                                            const backends::ProgramView& view, const dsl::Program& program,
                                            const dsl::SourceManager& sources) {
  return Viewer(scheduled, view, program, sources).Run();
}

}  // namespace weft::profile
