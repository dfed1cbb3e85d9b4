#ifndef WEFT_RUNTIME_MAIN_NPY_H_
#define WEFT_RUNTIME_MAIN_NPY_H_

#include <string>
#include <string_view>

#include "runtime/main/host_tensor.h"
#include "runtime/status.h"

namespace weft::runtime {

// Reads the content of a .npy file (versions 1 to 3, either byte order, either element order) as elements of
// `type`. Floats of any width become floats, integers integers if every value fits, bool stays bool; all else
// is an error. `note` gets what was changed, if precision may be lost.
Result<HostTensor> ReadNpy(std::string_view bytes, weft_type type, std::string* note);

// The content of a .npy file; bf16 is written as f32, which NumPy has.
std::string WriteNpy(const weft_tensor& dense);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_NPY_H_
