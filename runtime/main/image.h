#ifndef WEFT_RUNTIME_MAIN_IMAGE_H_
#define WEFT_RUNTIME_MAIN_IMAGE_H_

#include <string>
#include <string_view>

#include "runtime/main/host_tensor.h"
#include "runtime/status.h"

namespace weft::runtime {

// Pictures beyond this many pixels are refused: a small file of nothing but zeros can stand for any number.
constexpr uint64_t kMostPixels = uint64_t{1} << 28;

bool LooksLikePng(std::string_view bytes);
bool LooksLikeJpeg(std::string_view bytes);

// A picture as u8[height, width, channels], or u8[height, width] for `channels` = 0 (grey). `channels`: 0, 1
// (grey), 3 (red, green, blue) or 4 (and alpha). Palettes are looked up, 16 bits become 8, alpha is dropped
// where it is not asked for (a note says so if anything was transparent), a photograph is turned as its EXIF
// data says, CMYK becomes RGB. Memory is bounded by the file's size: no claim in a header is believed that
// the data cannot keep, and none of more than kMostPixels.
Result<HostTensor> ReadPng(std::string_view bytes, int channels, std::string* note);
Result<HostTensor> ReadJpeg(std::string_view bytes, int channels, std::string* note);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_IMAGE_H_
