#ifndef WEFT_RUNTIME_WEIGHTS_H_
#define WEFT_RUNTIME_WEIGHTS_H_

#include <functional>
#include <string>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/safetensors.h"
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

  // Whether no file has it, and its initial value is to be computed: its memory is there.
  bool IsUncomputed(int32_t weight) const { return uncomputed_[static_cast<size_t>(weight)]; }

  // Gives back what only prepare needed.
  void ReleaseAfterPrepare(const ProgramTable& table);

  // Where each weight lies, at a multiple of 64 bytes.
  const std::vector<void*>& pointers() const { return pointers_; }

 private:
  std::vector<Buffer> buffers_;  // one per weight
  std::vector<void*> pointers_;
  std::vector<bool> uncomputed_;  // one per weight
};

// The declared value everywhere: `weight` has a fill.
void FillWeight(const WeightTable& weight, char* data);

// As messages say them: "f32[2, 3]", "F32 [2, 3]".
std::string DeclarationText(const WeightTable& weight);
std::string StoredText(const StoredTensor& tensor);

// Whether a file's tensor has the weight's type in memory: files have types that are read as another one.
bool ReadsAsIs(const StoredTensor& stored, const WeightTable& weight);

// A weight's elements from its file, in `buffer`: the shape fits, and the type can be converted. An int
// outside the declared range is an error.
Status ReadWeight(const InputFile& file, const StoredTensor& stored, const WeightTable& weight,
                  Buffer& buffer);

// Calls options.note if there is one.
void Note(const weft_options& options, const std::string& text);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_WEIGHTS_H_
