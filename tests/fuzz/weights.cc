// Weight files of both kinds.

#include <cstdint>

#include "compiler/weights/checkpoint.h"
#include "runtime/safetensors.h"

namespace {

auto ReadSafetensors(std::string_view bytes) {
  auto read = [bytes](int64_t offset, char* to, int64_t count) {
    bytes.copy(to, static_cast<size_t>(count), static_cast<size_t>(offset));
    return weft::runtime::Status();
  };
  return weft::runtime::ReadSafetensors(static_cast<int64_t>(bytes.size()), read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!weft::weights::LooksLikeTorch(bytes)) {
    (void)ReadSafetensors(bytes);
    return 0;
  }
  // What was read can be written, and read back.
  absl::StatusOr<weft::weights::Checkpoint> checkpoint = weft::weights::ReadTorch(bytes);
  if (!checkpoint.ok()) return 0;
  absl::StatusOr<std::string> written = weft::weights::WriteSafetensors(std::move(checkpoint->tensors));
  if (written.ok() && !ReadSafetensors(*written).ok()) __builtin_trap();
  return 0;
}
