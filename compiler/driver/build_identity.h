#ifndef WEFT_COMPILER_DRIVER_BUILD_IDENTITY_H_
#define WEFT_COMPILER_DRIVER_BUILD_IDENTITY_H_

#include <string>

namespace weft::driver {

// What distinguishes this build of the compiler, with the libraries that it runs with (Halide, MLIR, LLVM),
// from all others that could make other code: the linker's build IDs, for a library without one its size and
// time.
const std::string& BuildIdentity();

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_BUILD_IDENTITY_H_
