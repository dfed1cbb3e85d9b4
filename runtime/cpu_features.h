#ifndef WEFT_RUNTIME_CPU_FEATURES_H_
#define WEFT_RUNTIME_CPU_FEATURES_H_

#include <string>
#include <string_view>

namespace weft::runtime {

// Which of the features in `needed` (LLVM's names, separated by commas) this processor or system lacks,
// separated by commas; empty if none. Names that do not change what code may run (tuning flags) are passed
// over.
std::string MissingCpuFeatures(std::string_view needed);

// The processor's own name, "" if it does not say.
std::string CpuName();

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_CPU_FEATURES_H_
