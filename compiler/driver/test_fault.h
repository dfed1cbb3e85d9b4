#ifndef WEFT_COMPILER_DRIVER_TEST_FAULT_H_
#define WEFT_COMPILER_DRIVER_TEST_FAULT_H_

// Faults that tests put into child processes. The variable WEFT_TEST_FAULT is a fault, or that of one part:
// `halide:hang`.

#include "absl/strings/string_view.h"

namespace weft::driver {

// Whether this part (empty: any child) is told to have this fault.
bool IsToldToFail(absl::string_view part, absl::string_view fault);

// Fails if this part is told so, in one of the ways in which a process can: segv, fpe, abort, exit, hang,
// sleep, memory.
void FailIfTold(absl::string_view part);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_TEST_FAULT_H_
