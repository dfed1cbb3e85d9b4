#ifndef WEFT_COMPILER_IR_VARIANT_H_
#define WEFT_COMPILER_IR_VARIANT_H_

#include <cstdint>
#include <map>
#include <string>

#include "llvm/ADT/StringRef.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

// A method may have several functions: one for all sizes, which has its name, and variants of it for hot
// ones. The program runs the variant whose argument types its inputs fit, else the first one.
namespace weft::ir {

// Makes `function` the variant of its method for these sizes, by name of the dimension. It is called
// `METHOD[NAME=SIZE, ...]` then.
void MarkVariant(mlir::func::FuncOp function, const std::map<std::string, int64_t>& sizes);

// The method that `function` is a variant of; empty: of none.
llvm::StringRef VariantOf(mlir::func::FuncOp function);

// The sizes of a variant in words: `"H", equal, "640", separator, ...`.
std::string VariantSizes(mlir::func::FuncOp function, llvm::StringRef equal, llvm::StringRef separator);

// A function that is only run by `from` has its sizes, too.
void CopyVariantSizes(mlir::func::FuncOp from, mlir::func::FuncOp to);

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_VARIANT_H_
