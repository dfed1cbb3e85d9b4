#ifndef WEFT_BACKENDS_SCHEDULE_WINDOWS_H_
#define WEFT_BACKENDS_SCHEDULE_WINDOWS_H_

// Windows per channel: how many of their rows go before the next channels, alone and over a product that is
// computed in the same kernel.

#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// The product with packed weights that the windows of this kernel go over, where it is computed inside of
// them: a block of its columns at a time, of the rows that a block of windows reads. Null: there is none.
const EquationView* WindowedProduct(const KernelView& kernel);

// Puts the loop `columns` (its name and extent) among `outer` (names and extents, outermost first), whose
// loop number `rows` goes over rows of windows. A column block goes over all rows that fit the cache, so that
// the next row finds there what this one used, and the next block the lines that both touch; its weights stay
// in registers. Where there are too few of those, columns go innermost, unless a product is computed for each
// block: memory is then walked in its order. Threads, if there are any (`by_threads`), share blocks of rows,
// as they do in the kernels around: most of what each reads is then in its own cache.
void PlaceWindows(Plan& plan, const KernelView& kernel, const std::pair<std::string, int64_t>& columns,
                  int rows, bool by_threads, const Target& target, Knobs& knobs,
                  std::vector<std::pair<std::string, int64_t>>& outer);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_WINDOWS_H_
