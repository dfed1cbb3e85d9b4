#include "runtime/memory_plan.h"

#include <algorithm>

namespace weft::runtime {
namespace {

int64_t RoundUp(int64_t bytes) {
  // What does not run may have no size.
  return bytes <= 0 ? 0 : (bytes + Buffer::kAlignment - 1) / Buffer::kAlignment * Buffer::kAlignment;
}

// Where in one memory something is when a slot is needed.
struct Taken {
  int64_t begin, end;
};

// The smallest gap between `taken`, sorted, that holds `bytes`, or what lies behind all of them if that ends
// at `capacity` at the latest. Gives the offset, -1 for none.
int64_t FindGap(const std::vector<Taken>& taken, int64_t bytes, int64_t capacity, int64_t* gap) {
  int64_t end = 0, best = -1;
  auto consider = [&](int64_t next) {
    if (next - end >= bytes && (best < 0 || next - end < *gap)) {
      best = end;
      *gap = next - end;
    }
  };
  for (const Taken& part : taken) {
    consider(part.begin);
    end = std::max(end, part.end);
  }
  consider(capacity);
  return best;
}

}  // namespace

void MemoryPlan::Begin(const CodeTable& code) {
  if (code_ == &code) return;
  code_ = &code;
  auto count = static_cast<size_t>(code.slot_count);
  bytes_.assign(count, 0);
  pointers_.assign(count, nullptr);
  places_.assign(count, Place());
  for (Segment& segment : segments_) {
    segment.slots.clear();
    segment.is_planned = false;
  }
  for (size_t slot = 0; slot < count; ++slot) {
    auto segment = static_cast<size_t>(code.slots[slot].segment);
    if (segments_.size() <= segment) segments_.resize(segment + 1);
    segments_[segment].slots.push_back(slot);
  }
}

int64_t MemoryPlan::reserved_bytes() const {
  int64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.memory.bytes();
  return sum;
}

// Places the slots of `segment` in this order and gives the bytes of its own memory that they need.
int64_t MemoryPlan::PlaceAll(size_t segment, const std::vector<size_t>& order,
                             std::vector<Place>& places) const {
  constexpr int64_t kNoEnd = INT64_MAX;
  int64_t own = 0;
  for (size_t slot : segments_[segment].slots) places[slot] = Place();
  std::vector<std::vector<Taken>> taken(segment + 1);
  for (size_t slot : order) {
    const SlotTable& life = code_->slots[slot];
    Place& place = places[slot];
    int64_t size = RoundUp(bytes_[slot]), smallest = 0;
    for (std::vector<Taken>& parts : taken) parts.clear();
    for (size_t other = 0; other < places.size(); ++other) {
      const SlotTable& its = code_->slots[other];
      const Place& there = places[other];
      bool meets =
          there.bytes > 0 && its.segment <= life.segment && its.first <= life.last && life.first <= its.last;
      if (meets) taken[there.memory].push_back({there.offset, there.offset + RoundUp(there.bytes)});
    }
    place.bytes = bytes_[slot];
    place.memory = segment;
    for (size_t memory = 0; memory <= segment && size > 0; ++memory) {
      std::vector<Taken>& parts = taken[memory];
      std::sort(parts.begin(), parts.end(), [](const Taken& a, const Taken& b) { return a.begin < b.begin; });
      bool is_own = memory == segment;
      if (is_own && place.memory != segment) break;
      int64_t gap = 0;
      int64_t offset = FindGap(parts, size, is_own ? kNoEnd : segments_[memory].memory.bytes(), &gap);
      if (offset < 0 || (smallest > 0 && gap >= smallest)) continue;
      place.memory = memory;
      place.offset = offset;
      smallest = gap;
    }
    if (place.memory == segment) own = std::max(own, place.offset + size);
  }
  return own;
}

bool MemoryPlan::Plan(int64_t number, int64_t* needed) {
  auto index = static_cast<size_t>(number);
  Segment& segment = segments_[index];
  bool is_same =
      segment.is_planned && std::all_of(segment.slots.begin(), segment.slots.end(),
                                        [&](size_t slot) { return places_[slot].bytes == bytes_[slot]; });
  if (is_same) return true;
  for (size_t later = index; later < segments_.size(); ++later) segments_[later].is_planned = false;

  // What is large, or needed for long, comes first: small things fit in between.
  std::vector<size_t> by_size = segment.slots, by_area = segment.slots;
  auto area = [&](size_t slot) {
    return static_cast<double>(bytes_[slot]) *
           static_cast<double>(code_->slots[slot].last - code_->slots[slot].first + 1);
  };
  std::stable_sort(by_size.begin(), by_size.end(), [&](size_t a, size_t b) { return bytes_[a] > bytes_[b]; });
  std::stable_sort(by_area.begin(), by_area.end(), [&](size_t a, size_t b) { return area(a) > area(b); });
  std::vector<Place> second = places_;
  int64_t own = PlaceAll(index, by_size, places_);
  int64_t other = PlaceAll(index, by_area, second);
  if (other < own) {
    places_ = std::move(second);
    own = other;
  }
  *needed = own;
  if (!segment.memory.Reserve(own)) return false;
  for (size_t slot : segment.slots)
    pointers_[slot] = segments_[places_[slot].memory].memory.data() + places_[slot].offset;
  segment.is_planned = true;
  return true;
}

}  // namespace weft::runtime
