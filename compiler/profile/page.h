#ifndef WEFT_COMPILER_PROFILE_PAGE_H_
#define WEFT_COMPILER_PROFILE_PAGE_H_

#include <string>

#include "compiler/profile/kernel_table.h"
#include "compiler/profile/run_profiled.h"

namespace weft::profile {

// A page of its own for a browser: what the method of the profile took, as a timeline of one run, a graph of
// its launches, a roofline and a table. `table` is that of the run's trace.
std::string ProfilePage(const KernelTable& table, const ProfiledRun& run);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_PAGE_H_
