#ifndef WEFT_RUNTIME_WEIGHTS_H_
#define WEFT_RUNTIME_WEIGHTS_H_

#include <functional>
#include <string>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/status.h"
#include "runtime/workspace.h"

namespace weft::runtime {

// The weights of a program, taken from files.
class Weights {
 public:
  // Fills every weight of `table` from the files of `options`. All that is missing, has another shape or
  // another type is listed in one error; what the files hold beyond it is one note, or an error if
  // options.strict.
  Status Load(const ProgramTable& table, const weft_options& options);

  // Gives back what only prepare needed.
  void ReleaseAfterPrepare(const ProgramTable& table);

  // Where each weight lies, at a multiple of 64 bytes.
  void* const* pointers() const { return pointers_.data(); }

 private:
  std::vector<Buffer> buffers_;  // one per weight
  std::vector<void*> pointers_;
};

// Calls options.note if there is one.
void Note(const weft_options& options, const std::string& text);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_WEIGHTS_H_
