#ifndef WEFT_COMPILER_TUNE_CHILD_H_
#define WEFT_COMPILER_TUNE_CHILD_H_

// The processes in which what was compiled runs. A crash or a hang there is an answer like any other.

#include <memory>

#include "compiler/driver/fork_server.h"

namespace weft::tune {

// Answers the requests of run_program.h and run_kernel.h. To be made before this process starts threads.
std::unique_ptr<driver::ForkServer> StartRunServer();

// One request in a child; a child that ended too early gives its cause.
driver::ChildEnd Ask(driver::ForkServer& server, absl::string_view request);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_CHILD_H_
