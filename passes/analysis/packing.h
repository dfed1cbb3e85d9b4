#ifndef WEFT_PASSES_ANALYSIS_PACKING_H_
#define WEFT_PASSES_ANALYSIS_PACKING_H_

// In which orders weights lie in memory: what schedules want, and what the pass `pack-weights` did. Kept by
// path of the equation that reads them, as attributes.

#include <map>
#include <string>
#include <vector>

#include "compiler/ir/weft_dialect.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace weft::passes {

// Attribute of a module: what schedules want. A dictionary from paths of equations to lists of packings.
inline constexpr llvm::StringLiteral kPacking = "weft.packing";
// Attributes of a function: what was done of that, or by default; and what of it cannot be done.
inline constexpr llvm::StringLiteral kPacked = "weft.packed";
inline constexpr llvm::StringLiteral kPackingProblems = "weft.packing_problems";

// A part of an index: index / divisor % modulus; a modulus of 0 takes no remainder.
struct PackedPart {
  std::string index;
  int64_t divisor = 1, modulus = 0;
  bool IsWhole() const { return divisor == 1 && modulus == 0; }
  bool operator==(const PackedPart&) const = default;
};

struct Packing {
  std::string operand;            // as the text of the equation calls it
  std::vector<PackedPart> order;  // outermost first
  bool operator==(const Packing&) const = default;
};

struct PackingProblem {
  std::string operand, text;
  int64_t place = -1;              // of the guilty part in the order; -1: it is the operand
  std::string missing;             // a name that is not there,
  std::vector<std::string> known;  // and those that are
};

mlir::Attribute ToAttribute(mlir::MLIRContext* context, const Packing& packing);
mlir::Attribute ToAttribute(mlir::MLIRContext* context, const PackingProblem& problem);

// The entries for `path` of the attribute `name` of `holder`.
std::vector<Packing> PackingsOf(mlir::Operation* holder, llvm::StringRef name, llvm::StringRef path);
std::vector<PackingProblem> PackingProblemsOf(mlir::Operation* holder, llvm::StringRef path);

// Entries by path, kept with an operation when all are known.
class PathEntries {
 public:
  void Add(llvm::StringRef path, mlir::Attribute entry) { entries_[path.str()].push_back(entry); }
  void KeepWith(mlir::Operation* holder, llvm::StringRef name) const;

 private:
  std::map<std::string, llvm::SmallVector<mlir::Attribute>> entries_;
};

// Whether a schedule says in which order something that `equation` reads is to lie.
bool HasPacking(ir::EquationOp equation);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_PACKING_H_
