#ifndef WEFT_PASSES_ANALYSIS_STRUCTURE_H_
#define WEFT_PASSES_ANALYSIS_STRUCTURE_H_

// When two operations compute the same: a text that is equal for them.

#include <string>

#include "mlir/IR/Operation.h"

namespace weft::passes {

// Everything that decides what `op` computes from its operands: names, types, attributes and regions, values
// inside numbered in order. Left out: locations, `path`, `names`, `group`, `fused` and symbol names. Values
// from outside, attributes and types are written as the objects that they are, so texts compare within one
// module only.
std::string StructureOf(mlir::Operation* op);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_STRUCTURE_H_
