// Tensors and pictures, as every kind of input that takes them.

#include <cstdint>

#include "runtime/main/image.h"
#include "runtime/main/npy.h"

using namespace weft::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string note;
  bool png = LooksLikePng(bytes), jpeg = LooksLikeJpeg(bytes);
  for (int channels : {0, 1, 3, 4}) {
    if (!png && !jpeg) break;
    Result<HostTensor> picture = png ? ReadPng(bytes, channels, &note) : ReadJpeg(bytes, channels, &note);
    if (picture.ok() && (picture->count() <= 0 || (channels > 0 && picture->shape[2] != channels)))
      __builtin_trap();
  }
  if (png || jpeg) return 0;
  for (weft_type type : {WEFT_F32, WEFT_BF16, WEFT_U8, WEFT_I64, WEFT_BOOL}) {
    Result<HostTensor> tensor = ReadNpy(bytes, type, &note);
    // What was read can be written, and read back.
    if (tensor.ok() && !ReadNpy(WriteNpy(tensor->View()), type, &note).ok()) __builtin_trap();
  }
  return 0;
}
