// Weight files of both kinds.

#include <cstdint>

#include "compiler/weights/checkpoint.h"
#include "runtime/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!weft::weights::LooksLikeTorch(bytes)) {
    (void)weft::runtime::ReadSafetensors(bytes);
    return 0;
  }
  // What was read can be written, and read back.
  absl::StatusOr<weft::weights::Checkpoint> checkpoint = weft::weights::ReadTorch(bytes);
  if (!checkpoint.ok()) return 0;
  absl::StatusOr<std::string> written = weft::weights::WriteSafetensors(std::move(checkpoint->tensors));
  if (written.ok() && !weft::runtime::ReadSafetensors(*written).ok()) __builtin_trap();
  return 0;
}
