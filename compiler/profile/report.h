#ifndef WEFT_COMPILER_PROFILE_REPORT_H_
#define WEFT_COMPILER_PROFILE_REPORT_H_

#include <string>

#include "compiler/profile/kernel_table.h"
#include "runtime/json.h"

namespace weft::profile {

// For people: a short block of lines for every kernel, at most 110 columns wide.
std::string ToText(const KernelTable& table);

// The same for programs: numbers in seconds, bytes and operations of one run; null where they are not known.
runtime::Json ToJson(const KernelTable& table);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_REPORT_H_
