#ifndef WEFT_BACKENDS_HOST_PROGRAM_VIEW_H_
#define WEFT_BACKENDS_HOST_PROGRAM_VIEW_H_

// What host code numbers: methods, weights, launches, in one order for the code and for the table.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::backends {

struct ProgramWeight {
  std::string path;
  mlir::RankedTensorType type;
  mlir::StringAttr element;  // the word for it in files; null: what the type says
  bool is_state = false, changes = false;
  std::optional<double> fill;
  std::optional<std::pair<int64_t, int64_t>> range;  // of an int
  bool used_by_methods = false;
  bool has_initial = false;  // some function of ProgramView::initial_values computes it
};

// What a method leaves behind: the path of the state that a result of the function is the next value of.
// Empty: the result is an output.
llvm::StringRef NextState(mlir::func::FuncOp function, unsigned result);

struct ProgramMethod {
  mlir::func::FuncOp function;            // for all sizes
  std::vector<mlir::func::FuncOp> codes;  // its variants, then itself
};

struct ProgramView {
  std::vector<ProgramMethod> methods;
  mlir::func::FuncOp prepare;                 // null if there is nothing to prepare
  std::vector<ProgramMethod> initial_values;  // of weights that are used; in the order in which they run
  std::vector<ProgramWeight> weights;
  llvm::StringMap<int32_t> weight_numbers;  // by path
  std::vector<ir::LaunchOp> launches;
  llvm::DenseMap<mlir::Operation*, int32_t> launch_numbers;
};

// Errors: two weights of one path with different types. States come first.
absl::StatusOr<ProgramView> ViewProgram(mlir::ModuleOp module);

// Memory of a method whose size is known at run time: the segment in which it is placed, and the times from
// which and to which it is needed (see weft-plan-memory).
struct ProgramSlot {
  int64_t segment, first, last;
};
std::vector<ProgramSlot> SlotsOf(mlir::func::FuncOp function);

// Bytes of one element in memory: bool takes one.
int64_t ElementBytes(mlir::Type type);
std::string BytesInMemory(mlir::DenseElementsAttr elements);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_PROGRAM_VIEW_H_
