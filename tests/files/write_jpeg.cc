// write_jpeg WIDTH HEIGHT CHANNELS progressive|plain: raw samples from standard input as .jpg on standard
// output. Four channels are CMYK with Adobe's marker, which inverts them.

#include <cstdio>
// After cstdio, which it needs and does not include.
#include <jpeglib.h>

#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 5) return 1;
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, stdout);
  info.image_width = static_cast<JDIMENSION>(std::stoi(argv[1]));
  info.image_height = static_cast<JDIMENSION>(std::stoi(argv[2]));
  info.input_components = std::stoi(argv[3]);
  info.in_color_space = info.input_components == 1   ? JCS_GRAYSCALE
                        : info.input_components == 3 ? JCS_RGB
                                                     : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 98, TRUE);
  for (int i = 0; i < info.num_components; ++i)
    info.comp_info[i].h_samp_factor = info.comp_info[i].v_samp_factor = 1;
  if (std::string(argv[4]) == "progressive") jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<JSAMPLE> row(info.image_width * static_cast<size_t>(info.input_components));
  while (info.next_scanline < info.image_height) {
    if (std::fread(row.data(), 1, row.size(), stdin) != row.size()) return 1;
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return 0;
}
