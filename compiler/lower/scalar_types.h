#ifndef WEFT_COMPILER_LOWER_SCALAR_TYPES_H_
#define WEFT_COMPILER_LOWER_SCALAR_TYPES_H_

#include "dsl/program/program.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace weft::lower {

// The type of a scalar in a body: `int` is index there. u8 is a signless i8; the ops that read it say so.
mlir::Type ScalarType(mlir::Builder& builder, dsl::ElementType element);

// The type of an element in memory: as above, but `int` is i64.
mlir::Type StorageType(mlir::Builder& builder, dsl::ElementType element);

bool IsUnsigned(dsl::ElementType element);

// A scalar of the body as it is kept in memory, and back.
mlir::Value ToStorage(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value scalar);
mlir::Value FromStorage(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value stored,
                        dsl::ElementType element);

// Converts as dsl::Cast says: ints wrap, floats to ints truncate and saturate, NaN becomes 0.
mlir::Value CastScalar(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value value, dsl::ElementType from,
                       dsl::ElementType to);

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_SCALAR_TYPES_H_
