#ifndef WEFT_RUNTIME_MEMORY_PLAN_H_
#define WEFT_RUNTIME_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/program_table.h"

namespace weft::runtime {

// Where memory lies whose size is known at run time. A program's code says the bytes of all slots of a
// segment, and they are placed together: in what earlier segments have no use for any more, and behind that
// in memory of the segment's own. That is the only memory that may grow then, so nothing that is needed
// moves. It is kept from run to run, and where the sizes are the same, so is the plan.
class MemoryPlan {
 public:
  // What follows is for this code. For another one than before all is planned anew, in the memory that is
  // there.
  void Begin(const CodeTable& code);

  // Places the slots of `segment`, of which bytes() has been filled in. Those of smaller numbers have been,
  // if they run at all; those of greater ones are forgotten. False: there is not so much memory as `needed`.
  bool Plan(int64_t segment, int64_t* needed);

  int64_t* bytes() { return bytes_.data(); }
  void* const* pointers() const { return pointers_.data(); }
  int64_t reserved_bytes() const;

 private:
  struct Place {
    size_t memory = 0;  // whose: of a segment
    int64_t offset = 0, bytes = -1;
  };
  struct Segment {
    std::vector<size_t> slots;
    Buffer memory;
    bool is_planned = false;
  };

  int64_t PlaceAll(size_t segment, const std::vector<size_t>& order, std::vector<Place>& places) const;

  const CodeTable* code_ = nullptr;
  std::vector<Segment> segments_;
  std::vector<Place> places_;  // of slots; bytes < 0: nowhere yet
  std::vector<int64_t> bytes_;
  std::vector<void*> pointers_;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MEMORY_PLAN_H_
