#include "runtime/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace weft::runtime {
namespace {

CodeTable CodeOf(const std::vector<SlotTable>& slots) {
  return {nullptr, "", 0, static_cast<int64_t>(slots.size()), slots.data(), nullptr, nullptr, nullptr};
}

// Plans a segment whose slots have these bytes, in the order of the slots.
bool Plan(MemoryPlan& plan, const std::vector<SlotTable>& slots, int64_t segment,
          std::vector<int64_t> bytes) {
  size_t next = 0;
  for (size_t slot = 0; slot < slots.size(); ++slot)
    if (slots[slot].segment == segment) plan.bytes()[slot] = bytes[next++];
  int64_t needed = 0;
  return plan.Plan(segment, &needed);
}

TEST(MemoryPlanTest, SharesWhatIsNeededAtDifferentTimes) {
  std::vector<SlotTable> slots = {{0, 0, 1}, {0, 1, 2}, {0, 2, 3}};
  CodeTable code = CodeOf(slots);
  MemoryPlan plan;
  plan.Begin(code);
  ASSERT_TRUE(Plan(plan, slots, 0, {1000, 500, 900}));
  EXPECT_EQ(plan.pointers()[0], plan.pointers()[2]);
  EXPECT_NE(plan.pointers()[0], plan.pointers()[1]);
  EXPECT_EQ(plan.reserved_bytes(), 1024 + 512);
}

TEST(MemoryPlanTest, LaterSegmentsTakeWhatIsNoLongerNeeded) {
  // The first slot is needed in segment 1, too; the second is dead then.
  std::vector<SlotTable> slots = {{0, 0, 9}, {0, 1, 2}, {1, 4, 5}, {1, 5, 6}, {2, 8, 9}};
  CodeTable code = CodeOf(slots);
  MemoryPlan plan;
  plan.Begin(code);
  ASSERT_TRUE(Plan(plan, slots, 0, {640, 6400}));
  ASSERT_TRUE(Plan(plan, slots, 1, {3200, 3200}));
  EXPECT_EQ(plan.reserved_bytes(), 7040 + 0);
  ASSERT_TRUE(Plan(plan, slots, 2, {6464}));  // a little too large: memory of its own
  EXPECT_EQ(plan.reserved_bytes(), 7040 + 6464);
}

TEST(MemoryPlanTest, StaysWhereSizesAreTheSame) {
  std::vector<SlotTable> slots = {{0, 0, 3}, {1, 2, 4}, {1, 4, 5}};
  CodeTable code = CodeOf(slots);
  MemoryPlan plan;
  plan.Begin(code);
  ASSERT_TRUE(Plan(plan, slots, 0, {100}) && Plan(plan, slots, 1, {200, 300}));
  std::vector<void*> before(plan.pointers(), plan.pointers() + 3);
  ASSERT_TRUE(Plan(plan, slots, 0, {100}) && Plan(plan, slots, 1, {200, 300}));
  EXPECT_EQ(before, std::vector<void*>(plan.pointers(), plan.pointers() + 3));
  int64_t reserved = plan.reserved_bytes();
  ASSERT_TRUE(Plan(plan, slots, 0, {10}) && Plan(plan, slots, 1, {20, 30}));
  EXPECT_EQ(plan.reserved_bytes(), reserved);  // it never shrinks
}

TEST(MemoryPlanTest, RefusesWhatNoMemoryHas) {
  std::vector<SlotTable> slots = {{0, 0, 1}, {0, 0, 1}};
  CodeTable code = CodeOf(slots);
  MemoryPlan plan;
  plan.Begin(code);
  EXPECT_FALSE(Plan(plan, slots, 0, {int64_t{1} << 46, int64_t{1} << 46}));
  EXPECT_TRUE(Plan(plan, slots, 0, {-5, 7}));  // what does not run may have no size
}

// Every slot keeps what is written into it as long as it is needed, over runs of changing sizes.
TEST(MemoryPlanTest, NeverOverlapsWhatIsNeeded) {
  std::mt19937 random(7);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  MemoryPlan plan;
  std::deque<std::vector<SlotTable>> all_slots;  // tables of codes stay where they are
  std::deque<CodeTable> codes;
  for (int round = 0; round < 100; ++round) {
    std::vector<SlotTable>& slots = all_slots.emplace_back();
    int64_t time = 0, segments = 1 + below(4);
    for (int64_t segment = 0; segment < segments; ++segment)
      for (int64_t i = below(12); i >= 0; --i, time += below(2))
        slots.push_back({segment, time, time + below(10)});
    plan.Begin(codes.emplace_back(CodeOf(slots)));
    for (int run = 0; run < 4; ++run) {
      int64_t alive = 0, peak = 0;
      for (int64_t segment = 0; segment < segments; ++segment) {
        std::vector<int64_t> bytes;
        for (const SlotTable& slot : slots)
          if (slot.segment == segment) bytes.push_back(below(run == 2 ? 50000 : 3000));
        ASSERT_TRUE(Plan(plan, slots, segment, bytes));
      }
      auto fits = [&](size_t slot, size_t other) {
        auto* a = static_cast<char*>(plan.pointers()[slot]);
        auto* b = static_cast<char*>(plan.pointers()[other]);
        return a + plan.bytes()[slot] <= b || b + plan.bytes()[other] <= a;
      };
      for (size_t slot = 0; slot < slots.size(); ++slot)
        for (size_t other = 0; other < slot; ++other)
          if (slots[slot].first <= slots[other].last && slots[other].first <= slots[slot].last)
            EXPECT_TRUE(fits(slot, other)) << round << " " << run << ": " << slot << " and " << other;
      for (int64_t now = 0; now <= time + 10; ++now, alive = 0) {
        for (size_t slot = 0; slot < slots.size(); ++slot)
          if (slots[slot].first <= now && now <= slots[slot].last) alive += plan.bytes()[slot];
        peak = std::max(peak, alive);
      }
      EXPECT_GE(plan.reserved_bytes(), peak);
    }
  }
}

}  // namespace
}  // namespace weft::runtime
