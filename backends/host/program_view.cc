#include "backends/host/program_view.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "compiler/ir/variant.h"

namespace weft::backends {
namespace {

std::optional<std::pair<int64_t, int64_t>> AsRange(std::optional<llvm::ArrayRef<int64_t>> bounds) {
  return bounds ? std::optional(std::pair((*bounds)[0], (*bounds)[1])) : std::nullopt;
}

ProgramWeight DescriptionOf(ir::WeightOp op) {
  ProgramWeight weight;
  weight.path = op.getPath().str();
  weight.type = mlir::cast<mlir::RankedTensorType>(op.getType());
  weight.element = op->getAttrOfType<mlir::StringAttr>("weft.type");
  weight.is_state = op.getState();
  weight.changes = op.getChanges();
  if (std::optional<llvm::APFloat> fill = op.getFill()) weight.fill = fill->convertToDouble();
  weight.range = AsRange(op.getRange());
  return weight;
}

ProgramWeight DescriptionOf(mlir::func::FuncOp method, unsigned result) {
  ProgramWeight state;
  state.path = NextState(method, result).str();
  state.type = mlir::cast<mlir::RankedTensorType>(method.getResultTypes()[result]);
  state.element = method.getResultAttrOfType<mlir::StringAttr>(result, "weft.type");
  state.is_state = state.changes = state.used_by_methods = true;
  if (auto fill = method.getResultAttrOfType<mlir::FloatAttr>(result, "weft.fill"))
    state.fill = fill.getValueAsDouble();
  if (auto range = method.getResultAttrOfType<mlir::DenseI64ArrayAttr>(result, "weft.range"))
    state.range = AsRange(range.asArrayRef());
  return state;
}

ProgramWeight& AddWeight(ProgramView& view, const ProgramWeight& weight) {
  auto [place, added] = view.weight_numbers.try_emplace(weight.path, view.weights.size());
  if (added) view.weights.push_back(weight);
  return view.weights[static_cast<size_t>(place->second)];
}

// Behind the functions the steps that they call, in the module's order.
void AddSteps(mlir::ModuleOp module, std::vector<mlir::func::FuncOp>& functions) {
  llvm::DenseSet<mlir::Operation*> called;
  std::vector<mlir::func::FuncOp> open = functions;
  while (!open.empty()) {
    mlir::func::FuncOp function = open.back();
    open.pop_back();
    function.walk([&](ir::IterateOp iterate) {
      auto step = module.lookupSymbol<mlir::func::FuncOp>(iterate.getCallee());
      if (called.insert(step).second) open.push_back(step);
    });
  }
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (called.contains(function)) functions.push_back(function);
}

absl::Status AddContents(ProgramView& view, mlir::func::FuncOp function, bool is_of_methods) {
  std::string error;
  function.walk([&](mlir::Operation* op) {
    if (auto weight = mlir::dyn_cast<ir::WeightOp>(op)) {
      ProgramWeight& known = AddWeight(view, DescriptionOf(weight));
      if (known.type != weight.getType())
        error = absl::StrCat("weight ", weight.getPath().str(), " has two types");
      known.used_by_methods |= is_of_methods;
    } else if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) {
      view.launch_numbers[op] = static_cast<int32_t>(view.launches.size());
      view.launches.push_back(launch);
    }
  });
  return error.empty() ? absl::OkStatus() : absl::InvalidArgumentError(error);
}

}  // namespace

llvm::StringRef NextState(mlir::func::FuncOp function, unsigned result) {
  auto path = function.getResultAttrOfType<mlir::StringAttr>(result, "weft.next");
  return path ? path.getValue() : llvm::StringRef();
}

absl::StatusOr<ProgramView> ViewProgram(mlir::ModuleOp module) {
  ProgramView view;
  llvm::StringMap<std::vector<mlir::func::FuncOp>> variants;
  std::vector<mlir::func::FuncOp> initial_values;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (function.isExternal()) continue;
    if (function->hasAttr("weft.prepare")) {
      view.prepare = function;
    } else if (function->hasAttr("weft.initial")) {
      initial_values.push_back(function);
    } else if (llvm::StringRef method = ir::VariantOf(function); !method.empty()) {
      variants[method].push_back(function);
    } else if (function.isPublic()) {
      view.methods.push_back({function, {}});
    }
  }
  if (view.methods.empty()) return absl::InvalidArgumentError("the module has no method");
  // A state may be written and never read.
  for (ProgramMethod& method : view.methods) {
    for (unsigned result = 0; result < method.function.getNumResults(); ++result)
      if (!NextState(method.function, result).empty())
        AddWeight(view, DescriptionOf(method.function, result));
  }
  std::vector<mlir::func::FuncOp> functions;
  for (ProgramMethod& method : view.methods) {
    method.codes = variants.lookup(method.function.getSymName());
    method.codes.push_back(method.function);
    llvm::append_range(functions, method.codes);
  }
  if (view.prepare) functions.push_back(view.prepare);
  AddSteps(module, functions);
  for (mlir::func::FuncOp function : functions)
    if (absl::Status status = AddContents(view, function, function != view.prepare); !status.ok())
      return status;
  // Each is needed by what comes behind it, if at all.
  for (mlir::func::FuncOp function : llvm::reverse(initial_values)) {
    auto weight = view.weight_numbers.find(NextState(function, 0));
    if (weight == view.weight_numbers.end()) continue;
    view.weights[static_cast<size_t>(weight->second)].has_initial = true;
    view.initial_values.insert(view.initial_values.begin(), ProgramMethod{function, {function}});
    std::vector<mlir::func::FuncOp> parts{function};
    AddSteps(module, parts);
    for (mlir::func::FuncOp part : parts)
      if (absl::Status status = AddContents(view, part, false); !status.ok()) return status;
  }
  return view;
}

std::vector<ProgramSlot> SlotsOf(mlir::func::FuncOp function) {
  std::vector<ProgramSlot> slots;
  auto numbers = function->getAttrOfType<mlir::DenseI64ArrayAttr>("weft.slots");
  for (int64_t i = 0; numbers && i + 2 < numbers.size(); i += 3)
    slots.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
  return slots;
}

int64_t ElementBytes(mlir::Type type) {
  return type.isIntOrFloat() ? (static_cast<int64_t>(type.getIntOrFloatBitWidth()) + 7) / 8 : 8;
}

std::string BytesInMemory(mlir::DenseElementsAttr elements) {
  std::string bytes;
  if (elements.getElementType().isInteger(1)) {
    for (bool element : elements.getValues<bool>()) bytes += element ? '\1' : '\0';
    return bytes;
  }
  llvm::ArrayRef<char> raw = elements.getRawData();
  for (int64_t i = elements.isSplat() ? elements.getNumElements() : 1; i > 0; --i)
    bytes.append(raw.data(), raw.size());
  return bytes;
}

}  // namespace weft::backends
