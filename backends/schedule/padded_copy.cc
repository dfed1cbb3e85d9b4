#include "backends/schedule/padded_copy.h"

#include <algorithm>

#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

// Bytes of the copy in one of the rows that the loop of `indices` goes over; 0: it stays where it is.
double CopiedRowBytes(const std::vector<const ReadView*>& reads, const std::vector<mlir::Value>& indices) {
  double bytes = 0;
  for (const ReadView* read : reads) {
    bool fills = std::find(read->outside.begin(), read->outside.end(), Outside::kFill) != read->outside.end();
    if (fills) bytes = std::max(bytes, BytesPerStep(*read, indices));
  }
  return bytes;
}

// Rows of one block; 0: the loop stays whole. As few blocks as fit the cache, a whole number for every
// thread: each repeats the rows at its edges.
int64_t RowsOfBlock(int64_t rows, double row_bytes, int64_t threads, const Target& target, Knobs& knobs) {
  double room = 0.4 * static_cast<double>(target.l2_bytes);
  int64_t rounds = 1;
  auto block = [&] { return (rows + threads * rounds - 1) / (threads * rounds); };
  while (block() > 4 && row_bytes * static_cast<double>(block()) > room) ++rounds;
  int64_t size = block() < 2 ? rows : block();
  std::vector<KnobValue> others = {{rows, 1.1}};
  for (rounds = 1; block() >= 2 && rounds <= 8; rounds *= 2) others.push_back({block(), 1.05});
  size = knobs.Choose("pad", size, std::move(others));
  return size >= rows ? 0 : size;
}

}  // namespace

void PlacePaddedCopy(Plan& plan, const std::vector<const ReadView*>& reads, const ColumnPlace& columns,
                     int shared, int64_t threads, const Target& target, Knobs& knobs,
                     std::vector<std::pair<std::string, int64_t>>& outer) {
  Directive pad{DirectiveKind::kPad, {}};
  if (shared >= 0 && outer[shared].first == columns.input_blocks) pad.names = {columns.input_blocks};
  for (size_t i = 0; i < plan.domain.size() && shared >= 0; ++i) {
    const LoopInfo& rows = plan.domain[i];
    if (rows.name != outer[shared].first || rows.extent < 2) continue;
    double row_bytes = CopiedRowBytes(reads, plan.domain_indices[i]);
    if (row_bytes == 0) break;
    bool is_single = rows.extent <= threads && !SlidesAlong(plan, reads, i);
    int64_t size = RowsOfBlock(rows.extent, row_bytes, threads, target, knobs);
    if (size == 0) {
      if (is_single) pad.names = {outer[shared].first};
      break;
    }
    std::string o, n;
    plan.Split(rows.name, size, &o, &n);
    outer[shared] = {o, (rows.extent + size - 1) / size};
    // Column blocks that were inside the rows stay around them, and their weights serve a whole block; where
    // all are at hand anyway, the results of a row are written together.
    bool are_next = shared + 1 < static_cast<int>(outer.size()) &&
                    plan.IsOuterPart(outer[shared + 1].first, plan.domain.back().name);
    int64_t place = shared + (are_next && !columns.weights_at_hand ? 2 : 1);
    outer.insert(outer.begin() + place, {n, size});
    pad.names = {o};
    break;
  }
  plan.directives.push_back(pad);
}

}  // namespace weft::backends
