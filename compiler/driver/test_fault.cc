#include "compiler/driver/test_fault.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"

namespace weft::driver {

namespace {

// What `part` is told; empty: nothing.
absl::string_view ToldFault(absl::string_view part) {
  const char* told = std::getenv("WEFT_TEST_FAULT");
  if (!told) return "";
  std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(told, absl::MaxSplits(':', 1));
  if (parts.second.empty()) std::swap(parts.first, parts.second);
  return parts.first == part ? parts.second : "";
}

}  // namespace

bool IsToldToFail(absl::string_view part, absl::string_view fault) { return ToldFault(part) == fault; }

void FailIfTold(absl::string_view part) {
  absl::string_view fault = ToldFault(part);
  if (fault == "exit") ::_exit(3);
  if (fault == "abort") std::abort();
  int number = fault == "segv" ? SIGSEGV : fault == "fpe" ? SIGFPE : 0;
  if (number != 0) ::raise(number);
  for (volatile bool hangs = fault == "hang"; hangs;) {
  }
  while (fault == "sleep") ::pause();
  std::vector<std::string> memory;
  while (fault == "memory") memory.emplace_back(1 << 20, 'x');
}

}  // namespace weft::driver
