#ifndef WEFT_COMPILER_LOWER_SIZE_LOWERING_H_
#define WEFT_COMPILER_LOWER_SIZE_LOWERING_H_

#include <map>
#include <utility>
#include <vector>

#include "dsl/size/size.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace weft::lower {

// Computes sizes as index values at the head of one function, or behind what finds them. Every size is
// computed once.
class SizeLowering {
 public:
  // `head` stands where the values go: after the definitions of the symbols, before the first equation.
  SizeLowering(mlir::OpBuilder head, mlir::Location loc) : head_(head), loc_(loc), places_{head} {}

  void BindSymbol(int id, mlir::Value value) { symbols_[id] = value; }
  // A symbol that is defined in the middle of the function: what depends on it goes where `behind` stands,
  // which later ones stand behind.
  void BindFound(int id, mlir::Value value, mlir::OpBuilder behind);
  bool IsBound(int id) const { return symbols_.contains(id); }

  // A number stays an attribute, everything else becomes a value. All symbols must be bound.
  mlir::OpFoldResult Lower(const dsl::Size& size);
  mlir::Value LowerToValue(const dsl::Size& size);

  mlir::OpBuilder& head() { return head_; }

 private:
  size_t PlaceOf(const dsl::Size& size) const;
  mlir::Value Number(int64_t value);
  mlir::Value LowerTerms(const dsl::Size& size);
  mlir::Value LowerAtom(const dsl::SizeAtom& atom);
  mlir::Value LowerFraction(const dsl::Size& size);

  mlir::OpBuilder head_;  // of the size that is computed: one of places_
  mlir::Location loc_;
  std::vector<mlir::OpBuilder> places_;
  std::map<int, size_t> found_;  // symbols that are not known at the first place
  std::map<int, mlir::Value> symbols_;
  std::vector<std::pair<dsl::Size, mlir::Value>> known_;  // few: searched from the front
};

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_SIZE_LOWERING_H_
