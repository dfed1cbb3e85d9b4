#ifndef WEFT_COMPILER_DRIVER_EMBED_WEIGHTS_H_
#define WEFT_COMPILER_DRIVER_EMBED_WEIGHTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "backends/host/emit_host.h"
#include "runtime/interruption.h"

namespace weft::driver {

// The weights of a program in the form that its kernels take, in a temporary file that goes with the object.
class EmbeddedFile {
 public:
  EmbeddedFile() = default;
  EmbeddedFile(const EmbeddedFile&) = delete;
  EmbeddedFile& operator=(const EmbeddedFile&) = delete;
  ~EmbeddedFile();

  // Runs the program `executable` (ELF bytes) once, which checks the weight files, prepares them and writes
  // them down. Errors are the program's own words.
  absl::Status Pack(const std::string& executable, const std::vector<std::string>& weight_files);

  const backends::EmbeddedWeights& weights() const { return weights_; }

 private:
  runtime::InterruptionHeld held_;  // as long as the folder is there
  std::string folder_;
  backends::EmbeddedWeights weights_;
};

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_EMBED_WEIGHTS_H_
