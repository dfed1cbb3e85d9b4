#ifndef WEFT_COMPILER_CLI_EXPLAIN_KERNELS_H_
#define WEFT_COMPILER_CLI_EXPLAIN_KERNELS_H_

#include <string>

#include "compiler/cli/compile_options.h"

namespace weft::cli {

struct ExplainKernelsOptions {
  ProgramOptions program;
  std::string method, profile;
  bool measure = false, json = false;
};

// weft explain --kernels: what the kernels of a program are, do and take. The exit code.
int ExplainKernels(const ExplainKernelsOptions& options);

}  // namespace weft::cli

#endif  // WEFT_COMPILER_CLI_EXPLAIN_KERNELS_H_
