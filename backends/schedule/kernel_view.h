#ifndef WEFT_BACKENDS_SCHEDULE_KERNEL_VIEW_H_
#define WEFT_BACKENDS_SCHEDULE_KERNEL_VIEW_H_

// A kernel's equations, reductions and reads in the form that schedules and code generation ask for. Points
// into the IR, which must outlive it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/schedule/loop_nest.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"

namespace weft::backends {

enum class Outside { kInside, kFill, kClamp, kMirror, kWrap };
enum class ReduceKind { kSum, kProd, kMin, kMax, kAny, kAll, kArgMax, kArgMin, kFirst, kLast };

struct ReadView {
  mlir::Operation* op = nullptr;
  mlir::Value tensor;
  std::vector<mlir::Value> subscripts;
  std::vector<Outside> outside;
  mlir::Value fill;  // null unless some subscript is kFill
};

struct ReduceView {
  mlir::Operation* op = nullptr;
  ReduceKind kind;
  std::vector<mlir::Value> lower, upper;
  std::vector<std::string> loops;  // names unique within the equation, as EquationLoops has them
  std::vector<mlir::Value> indices;
  mlir::Value body, condition, otherwise;  // condition, otherwise: null if there is none
};

struct EquationView {
  mlir::Operation* op = nullptr;
  EquationLoops loops;
  std::vector<mlir::Value> indices;  // of the domain
  std::vector<mlir::Value> extents;  // null where the extent is a number
  std::vector<mlir::Value> bodies;   // one per result
  std::vector<mlir::Value> results;
  std::vector<ReduceView> reduces;  // outer before inner
  std::vector<ReadView> reads;      // all, those inside reductions too
  std::vector<int>
      common;  // positions in the domain of the loops that all equations of the kernel share, in one order
  int packed_axis = -1;  // position in the domain of the index that packed weights are blocked by
  int64_t packed_block = 0;
};

struct KernelView {
  mlir::Operation* op = nullptr;
  std::string name;
  std::string kernel_class;
  std::vector<mlir::Value> arguments;  // tensors, then sizes (index)
  std::vector<EquationView> equations;
  std::vector<mlir::Value> returned;
};

// `kernel`: a weft.kernel.
KernelView ViewKernel(mlir::Operation* kernel);

// A view of one weft.read or weft.reduce; the reduce's loop names are those of the op.
ReadView ViewRead(mlir::Operation* op);
ReduceView ViewReduce(mlir::Operation* op);

// The number that `value` always has, if it is a constant.
bool ConstantIndex(mlir::Value value, int64_t* number);

// `subscript` = sum of coefficient * index + constant, if it has that form with known coefficients. Terms of
// equal index are added up; casts between index and integers are looked through.
struct AffineForm {
  std::vector<std::pair<mlir::Value, int64_t>> terms;  // coefficient never 0
  int64_t constant = 0;
  int64_t Coefficient(mlir::Value index) const;
};
bool MatchAffine(mlir::Value subscript, AffineForm* form);

// Whether `value` is computed from `index`, through reads, nested reductions and their bounds too.
bool DependsOn(mlir::Value value, mlir::Value index);

constexpr int64_t kWidestSkip = 4;

// How a read moves when one loop of `indices` (joined ones, the last moves fastest) advances.
enum class Motion {
  kStill,
  kDense,    // to the next element in memory
  kPacked,   // so too, in weights that are blocked along this loop
  kSkips,    // by 2 to kWidestSkip elements: vectors are shuffled out of the dense ones that they lie in
  kStrided,  // one step along another axis than the last
  kOther,
};
Motion MotionOf(const ReadView& read, const std::vector<mlir::Value>& indices);

// Weights of which each step of a loop reads a block that lies densely.
struct PackedWeights {
  mlir::Value tensor;
  int64_t block = 0;  // elements
};
std::optional<PackedWeights> PackedAlong(const EquationView& equation, mlir::Value index);

// Of a loop whose length is known at run time only: the value that it is, if it is a size of a tensor or one
// that the kernel is given, and not computed of others.
mlir::Value LengthOf(const EquationView& equation, const std::string& loop);

// Whether what the equation reduces may be cut into blocks whose results are combined; if not, and `why` is
// given, the reason.
bool HasBlocks(const EquationView& equation, std::string* why = nullptr);

// Whether some read's place is no linear form of the loops but given by data: neighbours share nothing then.
bool Gathers(const std::vector<const ReadView*>& reads);
bool Mentions(const std::vector<mlir::Value>& indices, mlir::Value value);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_KERNEL_VIEW_H_
