#ifndef WEFT_BACKENDS_SCHEDULE_MOTION_H_
#define WEFT_BACKENDS_SCHEDULE_MOTION_H_

// What a default schedule asks about the reads and reductions of an equation: which move along with which
// loop.

#include <functional>
#include <string>
#include <vector>

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/plan.h"

namespace weft::backends {

constexpr int64_t kElementBytes = 4;
constexpr int64_t kLineBytes = 64;  // of every cache

// Reads inside any reduction.
std::vector<const ReadView*> InnerReads(const EquationView& view);

bool HasFill(const std::vector<const ReadView*>& reads);

// Whether the loop of `indices` goes on where there is a fill in the place of elements.
bool FillsAlong(const std::vector<const ReadView*>& reads, const std::vector<mlir::Value>& indices);

// Reads of the kernel's arguments that results make beside their sums, of other elements in every step of the
// loop of `indices`.
std::vector<const ReadView*> ReadBesideSums(const EquationView& view,
                                            const std::vector<mlir::Value>& indices);

// What a read covers while `indices` stay as they are and all others go on.
double BytesCovered(const ReadView& read, const std::vector<mlir::Value>& indices);

// What a read goes on by when the loop of `indices` does; 0: it stays where it is.
double BytesPerStep(const ReadView& read, const std::vector<mlir::Value>& indices);

// How many bytes lie between what a read sees at neighbouring steps of `index`; 0: none, or not known.
int64_t BytesBetween(const ReadView& read, mlir::Value index);

// Whether data decides how far reductions go for each of these indices. Where several were computed at once,
// all would have to go as far as any.
bool EndsByData(const EquationView& view, const std::vector<mlir::Value>& indices);

// Whether reductions may go on past the end of `index` where copies hold what they read along it: as a number
// the index would be wrong there, so it may stand in subscripts alone. Reads that `reaches` says it of find
// something there without a copy.
bool CopiesReachPast(const EquationView& view, mlir::Value index,
                     const std::function<bool(const ReadView&)>& reaches = nullptr);

// Whether neighbours along this loop of the domain read windows that overlap.
bool SlidesAlong(const Plan& plan, const std::vector<const ReadView*>& reads, size_t loop);

// The first loop, of those before the lanes, along which windows of neighbours overlap; -1: none.
int WindowRows(const Plan& plan, const std::vector<const ReadView*>& reads, size_t lane);

// Whether partial results of the reduction with this loop can be joined in any order.
bool Foldable(const EquationView& view, const std::string& loop);

// Whether they can be kept in lanes that read densely along the loop, number `reduction` of the plan.
bool HasDenseLanes(const Plan& plan, size_t reduction, int64_t lanes);

// Whether vectors along the last loop of the results read what does not lie densely because data, or a
// division, says where, while no reduction could go along lanes.
bool MayGatherLanes(const Plan& plan, int64_t lanes);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_MOTION_H_
