#ifndef WEFT_RUNTIME_MAIN_PROGRAM_MAIN_H_
#define WEFT_RUNTIME_MAIN_PROGRAM_MAIN_H_

#include <string>
#include <vector>

#include "runtime/program_table.h"

namespace weft::runtime {

// What an executable does with its command line (without the program's own name). Prints results to standard
// output, notes and errors to standard error; gives the exit code: 0, or 1 after an error.
int ProgramMain(const ProgramTable& table, const std::string& name, const std::vector<std::string>& words);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_PROGRAM_MAIN_H_
