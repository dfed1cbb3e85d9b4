#ifndef WEFT_BACKENDS_HOST_CALL_TABLES_H_
#define WEFT_BACKENDS_HOST_CALL_TABLES_H_

#include <cstdint>

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::backends {

// How many entries the largest call in a function needs, those in the steps that it runs too: pointers to
// buffers, and numbers. At least one each.
struct CallTables {
  int64_t buffers = 1, numbers = 1;
};
CallTables TablesOf(mlir::func::FuncOp function);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_CALL_TABLES_H_
