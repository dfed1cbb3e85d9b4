#ifndef WEFT_BACKENDS_EXECUTE_LOADED_KERNEL_H_
#define WEFT_BACKENDS_EXECUTE_LOADED_KERNEL_H_

// Runs a compiled kernel inside this process, without a linker: for comparisons of back ends and for
// measurements.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/thread_pool.h"

namespace weft::backends {

class LoadedKernel {
 public:
  // `object`: bytes of an ELF object for this machine that defines `symbol` with the kernel ABI. It may call
  // weft_malloc, weft_free and halide_do_par_for of the runtime, memcpy, memset and libm. Its parallel loops
  // run on `pool`, which outlives it; null: on the calling thread.
  static absl::StatusOr<LoadedKernel> Load(absl::string_view object, absl::string_view symbol,
                                           runtime::ThreadPool* pool = nullptr);

  LoadedKernel(LoadedKernel&&) noexcept;
  LoadedKernel& operator=(LoadedKernel&&) noexcept;
  ~LoadedKernel();

  // Returns what the kernel returns; 0 is success. Not for several threads; with a pool, between its Begin
  // and End.
  int32_t Run(void* const* buffers, const int64_t* extents) const;

 private:
  struct State;
  explicit LoadedKernel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_EXECUTE_LOADED_KERNEL_H_
