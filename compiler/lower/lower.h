#ifndef WEFT_COMPILER_LOWER_LOWER_H_
#define WEFT_COMPILER_LOWER_LOWER_H_

#include "dsl/base/source_file.h"
#include "dsl/program/program.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace weft::lower {

// Translates a checked program into one module of the `weft` dialect: a public function per method, equations
// in the order of the program, sizes computed at the head of the function from the shapes of its inputs.
// Locations are NameLoc(path of the statement, file:line:column); those of reads say what their operand is
// called (compiler/ir/operand_name.h).
mlir::OwningOpRef<mlir::ModuleOp> Lower(const dsl::Program& program, const dsl::SourceManager& sources,
                                        mlir::MLIRContext& context);

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_LOWER_H_
