#ifndef WEFT_COMPILER_PROFILE_PROGRAM_KERNELS_H_
#define WEFT_COMPILER_PROFILE_PROGRAM_KERNELS_H_

// The launches of a program as people look at them: which equations of the file they compute, from what, and
// why these stand in kernels of their own.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/host/program_view.h"
#include "compiler/driver/compile.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"

namespace weft::profile {

struct EquationPlace {
  std::string path;   // of the instance: `features.0.y`
  std::string place;  // FILE:LINE
};

struct KernelEquation {
  EquationPlace equation;
  std::vector<EquationPlace> fused;  // what is computed in its body as well
};

struct KernelTensor {
  int64_t element_bytes = 0;
  std::vector<int64_t> shape;  // -1: a run-time size
};

struct Operand {
  enum class Kind { kKernel, kWeight, kInput, kConstant };
  Kind kind = Kind::kInput;
  std::string name;   // of the weight, the input or the launch
  int32_t from = -1;  // kKernel: number of the launch that makes it
  KernelTensor tensor;
};

struct Launch {
  int32_t number = 0;  // in the program's table, and in the profiles it writes
  std::string kernel;  // equal ones are called the same
  std::string kernel_class;
  std::string name;  // what profiles call it: path of its last equation
  std::vector<KernelEquation> equations;
  std::vector<Operand> operands;
  std::vector<KernelTensor> results;
  std::vector<std::pair<std::string, std::string>> apart;  // a launch it reads, why they are not one kernel
  std::optional<double> calls;                             // in one run; nothing: sizes or data decide
  std::vector<std::string> parallel;                       // loops that threads share; none: one thread
  std::optional<int64_t> tasks;                            // that they take; nothing: sizes decide
};

// The launches of a method, those of the steps it runs too. A method has one of these for all sizes and one
// for each of its hot ones.
struct MethodKernels {
  std::string method;  // empty: what runs when the program starts
  std::string sizes;   // "B = 1, T = 128": it is for these
  std::vector<Launch> launches;
};

// Of a program that driver::ExplainProgram gave.
std::vector<MethodKernels> KernelsOfProgram(const driver::ScheduledProgram& scheduled,
                                            const backends::ProgramView& view, const dsl::Program& program,
                                            const dsl::SourceManager& sources);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_PROGRAM_KERNELS_H_
