#ifndef WEFT_COMPILER_CLI_TEST_COMMAND_H_
#define WEFT_COMPILER_CLI_TEST_COMMAND_H_

#include <string>
#include <vector>

#include "compiler/driver/run_test.h"

namespace weft::cli {

struct TestCommand {
  std::vector<std::string> files;
  std::string filter;  // only tests whose title contains it
  int jobs = 0;        // tests at a time; 0: one per processor
  driver::TestOptions options;
};

// Runs every test of the files in a process of its own, so that one that crashes is one failure. Prints a
// line per test and what failed; returns the exit code: 0 if all passed.
int RunTestCommand(const TestCommand& command);

}  // namespace weft::cli

#endif  // WEFT_COMPILER_CLI_TEST_COMMAND_H_
