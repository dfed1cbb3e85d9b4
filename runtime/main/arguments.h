#ifndef WEFT_RUNTIME_MAIN_ARGUMENTS_H_
#define WEFT_RUNTIME_MAIN_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/status.h"

namespace weft::runtime {

// The command line of a compiled program.
struct Arguments {
  std::string method;                                        // "": none given
  std::vector<std::pair<std::string, std::string>> weights;  // prefix, path
  std::vector<std::pair<std::string, std::string>> inputs;   // name, file or number
  std::vector<std::pair<std::string, std::string>> outputs;  // name, file
  int threads = 0;
  bool describe = false, bench = false, json = false, help = false, strict = false;
  bool init = false;
  uint64_t seed = 0;
  std::string state;           // file
  std::string profile;         // file
  std::string packed_weights;  // file: write what an executable with its weights inside would hold
};

// Options and their values may be written `--name value` or `--name=value`. Errors name the argument, and the
// nearest option if it is none.
Result<Arguments> ParseArguments(const std::vector<std::string>& words);

// What --help prints; `program`: its own name, `needs_weights`, the names of `inputs` of the first method.
std::string HelpText(const std::string& program, bool needs_weights, const std::vector<std::string>& inputs);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_ARGUMENTS_H_
