#ifndef WEFT_RUNTIME_MAIN_LOAD_INPUT_H_
#define WEFT_RUNTIME_MAIN_LOAD_INPUT_H_

#include <cstdint>
#include <string>

#include "runtime/main/host_tensor.h"
#include "runtime/program_table.h"
#include "runtime/status.h"

namespace weft::runtime {

// What `--input NAME=text` means for `port`: a number if it is one and the port has no axes, else a .npy,
// .png or .jpg file, told apart by what is in it. `note` gets what was changed.
Result<HostTensor> LoadInput(const PortTable& port, const std::string& text, std::string* note);

// Random values for `port` (in its range, floats normal-like around 0) with run-time dimensions at their
// typical sizes.
Result<HostTensor> RandomInput(const ProgramTable& table, const PortTable& port, uint64_t seed);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_LOAD_INPUT_H_
