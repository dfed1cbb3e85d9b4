#include <png.h>

#include <csetjmp>
#include <cstring>

#include "runtime/main/image.h"

namespace weft::runtime {
namespace {

struct Source {
  std::string_view bytes;
  char message[160] = "";
};

void ReadPng(png_structp png, png_bytep data, size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > source->bytes.size()) png_error(png, "it is cut off");
  std::memcpy(data, source->bytes.data(), count);
  source->bytes.remove_prefix(count);
}

void KeepError(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->message, message, sizeof(source->message) - 1);
  png_longjmp(png, 1);
}

void IgnoreWarning(png_structp, png_const_charp) {}

// What outlives a longjmp out of libpng; nothing in the function that calls setjmp has a destructor.
struct PngDecoding {
  Source source;
  HostTensor picture;
  std::vector<png_bytep> rows;
  bool out_of_memory = false, transparent = false;
};

bool Decode(PngDecoding& decoding, int channels, png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_read_fn(png, &decoding.source, ReadPng);
  png_set_user_limits(png, 1 << 20, 1 << 20);
  png_set_chunk_malloc_max(png, 8 << 20);
  size_t file_bytes = decoding.source.bytes.size();
  png_read_info(png, info);
  int color = png_get_color_type(png, info);
  bool has_alpha = (color & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  png_set_expand(png);
  png_set_scale_16(png);
  bool grey = channels <= 1;
  if (grey && (color & PNG_COLOR_MASK_COLOR)) png_set_rgb_to_gray_fixed(png, 1, 29900, 58700);
  if (!grey && !(color & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
  if (channels == 4 && !has_alpha) png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
  png_set_interlace_handling(png);
  uint64_t height = png_get_image_height(png, info), width = png_get_image_width(png, info);
  if (height * width > kMostPixels) png_error(png, "it is too large");
  // Deflate makes at most 1032 bytes of one.
  if (height * png_get_rowbytes(png, info) > 1040 * static_cast<uint64_t>(file_bytes) + 65536)
    png_error(png, "it is cut off: its data cannot fill its size");
  png_read_update_info(png, info);
  uint64_t row_bytes = png_get_rowbytes(png, info);
  HostTensor& picture = decoding.picture;
  picture.type = WEFT_U8;
  picture.shape = {static_cast<int64_t>(height), static_cast<int64_t>(width),
                   static_cast<int64_t>(row_bytes / width)};
  if (!picture.Allocate()) {
    decoding.out_of_memory = true;
    return false;
  }
  decoding.rows.resize(height);
  for (uint64_t row = 0; row < height; ++row)
    decoding.rows[row] = reinterpret_cast<png_bytep>(picture.data.data()) + row * row_bytes;
  png_read_image(png, decoding.rows.data());
  png_read_end(png, nullptr);
  return true;
}

// Keeps the first `kept` of the channels, in place.
void DropAlpha(PngDecoding& decoding, int64_t kept) {
  HostTensor& picture = decoding.picture;
  int64_t pixels = picture.shape[0] * picture.shape[1], had = picture.shape[2];
  char* data = picture.data.data();
  for (int64_t i = 0; i < pixels; ++i) {
    decoding.transparent |= static_cast<unsigned char>(data[i * had + had - 1]) != 255;
    std::memmove(data + i * kept, data + i * had, static_cast<size_t>(kept));
  }
  picture.shape[2] = kept;
}

}  // namespace

bool LooksLikePng(std::string_view bytes) { return bytes.substr(0, 4) == "\x89PNG"; }

Result<HostTensor> ReadPng(std::string_view bytes, int channels, std::string* note) {
  PngDecoding decoding;
  decoding.source.bytes = bytes;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoding.source, KeepError, IgnoreWarning);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  bool created = info != nullptr;
  bool good = created && Decode(decoding, channels, png, info);
  png_destroy_read_struct(&png, &info, nullptr);
  if (decoding.out_of_memory || !created) return OutOfMemory("not enough memory for it");
  if (!good) return InvalidArgument(std::string("it is a damaged .png file: ") + decoding.source.message);
  int64_t wanted = channels == 0 ? 1 : channels;
  if (decoding.picture.shape[2] > wanted) DropAlpha(decoding, wanted);
  if (decoding.transparent) *note = "its transparency is ignored";
  if (channels == 0) decoding.picture.shape.pop_back();
  return std::move(decoding.picture);
}

}  // namespace weft::runtime
