// The main function of compiled executables.

#include <string>
#include <vector>

#include "runtime/interruption.h"
#include "runtime/main/program_main.h"

extern "C" const weft::runtime::ProgramTable weft_program_table;

int main(int argc, char** argv) {
  weft::runtime::LetInterruptionsWait();
  std::string name = argc > 0 ? argv[0] : "program";
  if (size_t slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  return weft::runtime::ProgramMain(weft_program_table, name,
                                    std::vector<std::string>(argv + (argc > 0), argv + argc));
}
