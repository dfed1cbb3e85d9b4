#ifndef WEFT_PASSES_INLINE_CHOICE_WRITER_H_
#define WEFT_PASSES_INLINE_CHOICE_WRITER_H_

#include "mlir/IR/IRMapping.h"
#include "passes/analysis/extraction.h"
#include "passes/inline/choice_elements.h"

namespace weft::passes {

// Writes what the elements of a choice are computed by, in front of its equation.
class ChoiceWriter {
 public:
  explicit ChoiceWriter(Choice& choice)
      : choice_(choice), builder_(choice.equation), loc_(choice.branch.getLoc()) {}

 protected:
  // A number that the data decides, as a size.
  mlir::Value Number(llvm::StringRef name, llvm::function_ref<mlir::Value(mlir::OpBuilder&)> value) {
    auto count =
        CreateEquation(builder_, PartOf(LabelOf(choice_.equation), name), {}, {}, builder_.getI64Type(),
                       [&](mlir::OpBuilder& body, mlir::ValueRange) -> llvm::SmallVector<mlir::Value> {
                         return {value(body)};
                       });
    return ir::FoundOp::create(builder_, loc_, builder_.getIndexType(), count->getResult(0));
  }

  mlir::Value Clone(mlir::OpBuilder& body, mlir::Value value, mlir::IRMapping& mapping) {
    for (mlir::Operation* op : SliceOf(value, choice_.equation))
      if (!mapping.contains(op->getResult(0))) body.clone(*op, mapping);
    return mapping.lookupOrDefault(value);
  }

  static llvm::SmallVector<mlir::Attribute> Names(llvm::ArrayRef<mlir::Value> indices) {
    return llvm::map_to_vector(indices, [](mlir::Value index) { return NameOf(index); });
  }

  // Reads what has been computed where it stood in the equation; `place` says where it is among the results,
  // before the other indices. What is computed twice then goes.
  void ReadResults(
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder&, ChoiceElement&)> place) {
    for (ChoiceElement& element : choice_.elements) {
      if (!element.is_costly) continue;
      mlir::Operation* yield = element.block->getTerminator();
      mlir::OpBuilder at(yield);
      llvm::SmallVector<mlir::Value> subscripts = place(at, element);
      llvm::append_range(subscripts, choice_.rest);
      yield->setOperand(0, CreateRead(at, loc_, element.results, subscripts));
      llvm::SmallVector<mlir::Operation*> unused;
      for (mlir::Operation& op : element.block->without_terminator()) unused.push_back(&op);
      for (mlir::Operation* op : llvm::reverse(unused))
        if (op->use_empty() && mlir::isMemoryEffectFree(op)) op->erase();
    }
    for (ChoiceElement& element : choice_.elements)
      if (element.is_costly)
        for (mlir::Operation* op : llvm::reverse(element.own)) op->erase();
  }

  Choice& choice_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
};

// Each of the costly elements for the rows that choose it alone.
void ComputeByRows(Choice& choice);
// Where there are no rows: the one that is chosen.
void ComputeChosen(Choice& choice);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_CHOICE_WRITER_H_
