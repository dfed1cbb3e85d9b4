#ifndef WEFT_COMPILER_DRIVER_RUN_TEST_H_
#define WEFT_COMPILER_DRIVER_RUN_TEST_H_

#include <cstdint>
#include <string>

#include "compiler/driver/compile.h"
#include "dsl/base/source_file.h"
#include "dsl/sema/sema.h"

namespace weft::driver {

struct TestOptions {
  Backend backend = Backend::kLoops;
  // What `random` and parameters without a value are drawn from. A test's numbers depend on nothing else.
  uint64_t seed = 1;
  std::vector<ScheduleSource> schedules;
  std::vector<std::string> linked;  // files that have the ops in C
};

// Compiles a test, runs it in this process and compares. Empty if all expectations hold; else says for each
// that does not its place and line and the element that is furthest off, or why the test could not run.
std::string RunTest(const dsl::TestProgram& test, const dsl::SourceManager& sources,
                    dsl::Diagnostics& diagnostics, const TestOptions& options);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_RUN_TEST_H_
