#include <cstdio>
// After cstdio, which it needs and does not include.
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstring>
#include <utility>

#include "runtime/main/image.h"

namespace weft::runtime {
namespace {

constexpr long kMostMemory = 1L << 30;  // of the library, for the coefficients of progressive pictures

struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void Fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  (*info->err->format_message)(info, errors->message);
  std::longjmp(errors->back, 1);
}

// Every scan of a progressive picture goes over all of it, and costs a few bytes of the file.
void CheckScans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > 200) ERREXIT(info, JERR_BAD_PROGRESSION);
}

// Level -1 is a warning about damaged data. Where data is missing, a grey area would stand in for it.
void Emit(j_common_ptr info, int level) {
  if (level >= 0) return;
  if (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER) Fail(info);
}

// The orientation (1 to 8) that an EXIF block gives; 1 if it gives none.
int ExifOrientation(const unsigned char* data, size_t size) {
  if (size < 14 || std::memcmp(data, "Exif\0\0", 6) != 0) return 1;
  data += 6;
  size -= 6;
  bool little = data[0] == 'I';
  auto word = [&](size_t at, int bytes) -> uint64_t {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= static_cast<uint64_t>(data[at + i]) << 8 * (little ? i : bytes - 1 - i);
    return value;
  };
  uint64_t directory = word(4, 4);
  if (directory > size || size - directory < 2) return 1;
  uint64_t entries = word(directory, 2);
  for (uint64_t i = 0; i < entries; ++i) {
    uint64_t entry = directory + 2 + 12 * i;
    if (entry + 12 > size) return 1;
    if (word(entry, 2) != 0x112) continue;
    uint64_t value = word(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

struct JpegDecoding {
  jpeg_decompress_struct info;
  Errors errors;
  jpeg_progress_mgr progress = {};
  HostTensor picture;  // with the file's number of channels
  int orientation = 1;
  bool cmyk = false, inverted = false, out_of_memory = false;
  const char* wrong_size = nullptr;
};

bool Decode(JpegDecoding& decoding, std::string_view bytes, int channels) {
  jpeg_decompress_struct& info = decoding.info;
  if (setjmp(decoding.errors.back)) return false;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  decoding.progress.progress_monitor = CheckScans;
  info.progress = &decoding.progress;
  info.mem->max_memory_to_use = kMostMemory;
  jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&info, TRUE);
  for (jpeg_saved_marker_ptr marker = info.marker_list; marker != nullptr; marker = marker->next)
    if (marker->marker == JPEG_APP0 + 1 && decoding.orientation == 1)
      decoding.orientation = ExifOrientation(marker->data, marker->data_length);
  uint64_t pixels = static_cast<uint64_t>(info.image_width) * info.image_height;
  if (pixels > kMostPixels) decoding.wrong_size = "it is too large";
  // A block of 64 pixels takes a bit at least.
  if (pixels / 512 > bytes.size() + 64) decoding.wrong_size = "it is cut off: its data cannot fill its size";
  if (decoding.wrong_size != nullptr) return false;
  decoding.cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  decoding.inverted = info.saw_Adobe_marker;
  info.out_color_space = decoding.cmyk ? JCS_CMYK : channels <= 1 ? JCS_GRAYSCALE : JCS_RGB;
  // Grey out of colours that the library cannot turn into it.
  if (info.out_color_space == JCS_GRAYSCALE && info.jpeg_color_space != JCS_GRAYSCALE &&
      info.jpeg_color_space != JCS_YCbCr)
    info.out_color_space = JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&info);
  HostTensor& picture = decoding.picture;
  picture.type = WEFT_U8;
  picture.shape = {static_cast<int64_t>(info.output_height), static_cast<int64_t>(info.output_width),
                   info.output_components};
  if (!picture.Allocate()) {
    decoding.out_of_memory = true;
    return false;
  }
  size_t row_bytes = static_cast<size_t>(info.output_width) * static_cast<size_t>(info.output_components);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = reinterpret_cast<JSAMPROW>(picture.data.data()) + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

// One pixel in the channels that are wanted.
void Convert(const JpegDecoding& decoding, const unsigned char* from, int64_t had, unsigned char* to,
             int64_t wanted) {
  unsigned red = from[0], green = had >= 3 ? from[1] : red, blue = had >= 3 ? from[2] : red;
  if (decoding.cmyk) {
    unsigned ink[4];
    for (int i = 0; i < 4; ++i) ink[i] = decoding.inverted ? from[i] : 255u - from[i];
    red = ink[0] * ink[3] / 255;
    green = ink[1] * ink[3] / 255;
    blue = ink[2] * ink[3] / 255;
  }
  if (wanted == 1) {
    to[0] = static_cast<unsigned char>(had == 1 ? red : (299 * red + 587 * green + 114 * blue + 500) / 1000);
    return;
  }
  to[0] = static_cast<unsigned char>(red);
  to[1] = static_cast<unsigned char>(green);
  to[2] = static_cast<unsigned char>(blue);
  if (wanted == 4) to[3] = 255;
}

}  // namespace

bool LooksLikeJpeg(std::string_view bytes) { return bytes.substr(0, 3) == "\xff\xd8\xff"; }

Result<HostTensor> ReadJpeg(std::string_view bytes, int channels, std::string* note) {
  (void)note;
  JpegDecoding decoding;
  std::memset(&decoding.info, 0, sizeof(decoding.info));
  decoding.info.err = jpeg_std_error(&decoding.errors.manager);
  decoding.errors.manager.error_exit = Fail;
  decoding.errors.manager.emit_message = Emit;
  bool good = Decode(decoding, bytes, channels);
  jpeg_destroy_decompress(&decoding.info);
  if (decoding.out_of_memory) return OutOfMemory("not enough memory for it");
  if (!good)
    return InvalidArgument(std::string("it is a damaged .jpg file: ") +
                           (decoding.wrong_size != nullptr ? decoding.wrong_size : decoding.errors.message));

  const HostTensor& stored = decoding.picture;
  int64_t height = stored.shape[0], width = stored.shape[1], had = stored.shape[2];
  int64_t wanted = channels == 0 ? 1 : channels;
  int orientation = decoding.orientation;
  bool turned = orientation >= 5;  // rows become columns
  HostTensor picture;
  picture.type = WEFT_U8;
  picture.shape = {turned ? width : height, turned ? height : width, wanted};
  if (!picture.Allocate()) return OutOfMemory("not enough memory for it");
  bool flip_row = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  bool flip_column = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  // EXIF 5 to 8 are the transposed picture, then 5 as it is, 6 mirrored left to right, 7 both ways, 8 upside
  // down.
  for (int64_t row = 0; row < picture.shape[0]; ++row) {
    for (int64_t column = 0; column < picture.shape[1]; ++column) {
      int64_t r = flip_row ? picture.shape[0] - 1 - row : row;
      int64_t c = flip_column ? picture.shape[1] - 1 - column : column;
      if (turned) std::swap(r, c);
      Convert(
          decoding, reinterpret_cast<const unsigned char*>(stored.data.data()) + (r * width + c) * had, had,
          reinterpret_cast<unsigned char*>(picture.data.data()) + (row * picture.shape[1] + column) * wanted,
          wanted);
    }
  }
  if (channels == 0) picture.shape.pop_back();
  return picture;
}

}  // namespace weft::runtime
