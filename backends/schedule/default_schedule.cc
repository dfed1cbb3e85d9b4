#include "backends/schedule/default_schedule.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "backends/schedule/choices.h"
#include "backends/schedule/depthwise_tile.h"
#include "backends/schedule/input_blocks.h"
#include "backends/schedule/joins.h"
#include "backends/schedule/knob_values.h"
#include "backends/schedule/motion.h"
#include "backends/schedule/padded_copy.h"
#include "backends/schedule/plan.h"
#include "backends/schedule/pointwise_tile.h"
#include "backends/schedule/reduction_blocks.h"
#include "backends/schedule/reduction_order.h"
#include "backends/schedule/row_blocks.h"
#include "backends/schedule/shared_loops.h"
#include "backends/schedule/shared_rest.h"
#include "backends/schedule/sum_widths.h"
#include "backends/schedule/windows.h"
#include "backends/schedule/work.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {
namespace {

// Steps of a block of weights, over the lines of it: with fewer, the requests get in each other's way; with
// more, the weights are nothing beside the work.
constexpr int64_t kFewestSteps = 4, kMostSteps = 4;
constexpr int64_t kRowsForCopy = 64;    // that share it
constexpr int64_t kUnknownSteps = 256;  // of what is told at run time: maps are large

class Chooser {
 public:
  Chooser(const KernelView& kernel, const Target& target, Joins joins, Knobs& knobs)
      : kernel_(kernel),
        target_(target),
        joins_(std::move(joins)),
        knobs_(knobs),
        lanes_(Lanes(target, kElementBytes)) {}

  Schedule Run() {
    Schedule schedule;
    const EquationView* last = kernel_.equations.empty() ? nullptr : &kernel_.equations.back();
    // Equations that share loops are computed together, a block of the last shared loop at a time.
    std::vector<size_t> shared = SharedLoops(kernel_, target_);
    bool together = !shared.empty();
    windows_ = WindowedProduct(kernel_) != nullptr;
    together |= windows_;
    if (together) together = knobs_.Choose("together", true, 1.5);
    windows_ &= together;
    std::vector<EquationSchedule> reversed;
    for (auto view = kernel_.equations.rbegin(); view != kernel_.equations.rend(); ++view) {
      shared_.clear();
      for (size_t k : shared) shared_.push_back(view->common[k]);
      if (!together) shared_.clear();
      knobs_.Begin(kernel_.equations.rend() - view - 1);
      inside_ = together && &*view != last;
      Plan plan = Choose(*view);
      if (inside_ && !(windows_ && place_loop_.empty())) {
        auto reader = places_.find(OnlyReader(kernel_, *view));
        bool chained = reader != places_.end();
        plan.directives.push_back(
            {DirectiveKind::kAt,
             {(chained ? reader->first : last)->loops.path, chained ? reader->second : place_loop_}});
      }
      reversed.push_back({view->loops.path, plan.directives});
    }
    schedule.equations.assign(reversed.rbegin(), reversed.rend());
    return schedule;
  }

 private:
  static int64_t Extent(const LoopInfo& loop, int64_t unknown = 256) {
    return loop.extent < 0 ? unknown : loop.extent;
  }

  Plan Choose(const EquationView& view) {
    std::set<int> borders;
    auto place = [&](int position) {
      return std::find(shared_.begin(), shared_.end(), position) - shared_.begin();
    };
    auto is_shared = [&](int position) { return place(position) < static_cast<int64_t>(shared_.size()); };
    for (int i = 1; i < static_cast<int>(view.indices.size()); ++i) {
      bool in_order = is_shared(i) && place(i) == place(i - 1) + 1;
      if (is_shared(i) != is_shared(i - 1) || (is_shared(i) && !in_order)) borders.insert(i);
    }
    Plan plan = MakePlan(view, joins_, borders);
    // The shared loops first, in the order that all equations agree on.
    shared_loops_ = 0;
    for (int position : shared_) {
      for (size_t i = shared_loops_; i < plan.domain.size(); ++i) {
        if (plan.domain_indices[i][0] != view.indices[position]) continue;
        std::rotate(plan.domain.begin() + shared_loops_, plan.domain.begin() + i,
                    plan.domain.begin() + i + 1);
        std::rotate(plan.domain_indices.begin() + shared_loops_, plan.domain_indices.begin() + i,
                    plan.domain_indices.begin() + i + 1);
        ++shared_loops_;
        break;
      }
    }
    cycles_ = 0;
    for (const EquationView& other : kernel_.equations) {
      // The last equation's loops hold those of all that are computed inside.
      if (&other == &view || (!inside_ && (windows_ || !shared_.empty()))) cycles_ += Cycles(other);
    }
    if (view.reduces.empty()) {
      Pointwise(plan);
    } else if (plan.domain.empty() || !(ByLanes(plan) || ByOtherLanes(plan) || ByGathers(plan))) {
      ByRows(plan);
    }
    return plan;
  }

  double Cycles(const EquationView& view) const {
    double points = 1;
    for (const LoopInfo& loop : view.loops.domain) points *= static_cast<double>(Extent(loop));
    return points * CyclesPerPoint(view, target_);
  }

  bool SharedByThreads() const { return WorthThreads(cycles_, target_) && !inside_; }

  double Imbalance(int64_t tasks) const { return backends::Imbalance(tasks, target_); }

  using Loops = std::vector<std::pair<std::string, int64_t>>;  // names and extents, outermost first

  // The first loop of `outer` that gives all threads about the same to do; -1: none.
  int SharedOut(const Loops& outer) const {
    int best = -1;
    for (int i = 0; i < static_cast<int>(outer.size()); ++i) {
      if (outer[i].second == 1) continue;
      if (best < 0 || Imbalance(outer[i].second) < 0.8 * Imbalance(outer[best].second)) best = i;
    }
    return best;
  }

  // Marks what threads share, and says which loop of `outer` that is; -1: none. A loop of short steps is
  // split into tasks of several.
  int Parallel(Plan& plan, Loops& outer) {
    int shared = SharedByThreads() ? SharedOut(outer) : -1;
    if (shared < 0) return shared;
    std::vector<KnobValue> others;
    for (int i = 0; i < static_cast<int>(outer.size()); ++i)
      if (outer[i].second != 1 && !plan.IsInnerPart(outer[i].first))
        others.push_back({i, Imbalance(outer[i].second) / Imbalance(outer[shared].second)});
    shared = static_cast<int>(knobs_.Choose("parallel", shared, std::move(others)));
    auto [loop, extent] = outer[shared];
    double steps = 1;
    for (int i = 0; i <= shared; ++i)
      steps *= static_cast<double>(outer[i].second < 0 ? 16 : outer[i].second);
    int64_t each = StepsPerTask(extent, cycles_ / std::max(1.0, steps), target_);
    each = knobs_.Choose("task", each, OtherTasks(extent, each, target_));
    std::string task = loop;
    if (each > 1 && (extent < 0 || each < extent)) {
      std::string step;
      plan.Split(loop, each, &task, &step);
      outer[shared] = {task, extent < 0 ? kUnknown : (extent + each - 1) / each};
      outer.insert(outer.begin() + shared + 1, {step, each});
      Rename(plan, loop, step);
    }
    plan.Mark(DirectiveKind::kParallel, task);
    return shared;
  }

  // What was computed inside the loop `from`, which has been split, is computed inside its part `to`.
  void Rename(Plan& plan, const std::string& from, const std::string& to) {
    for (Directive& directive : plan.directives) {
      bool places = directive.kind == DirectiveKind::kPad || directive.kind == DirectiveKind::kTranspose ||
                    directive.kind == DirectiveKind::kPrefetch;
      if (places) std::replace(directive.names.begin(), directive.names.end(), from, to);
    }
    std::replace(holder_loops_.begin(), holder_loops_.end(), from, to);
    if (place_loop_ == from) place_loop_ = to;
  }

  // Splits a loop into vectors; its parts, or the loop itself as `inner` where it is shorter than one.
  void Lanewise(Plan& plan, const LoopInfo& loop, int64_t width, std::string* outer, std::string* inner) {
    if (loop.extent >= 0 && loop.extent <= width) {
      outer->clear(), *inner = loop.name;
      if (loop.extent > 1) plan.Mark(DirectiveKind::kVectorize, loop.name);
      return;
    }
    plan.Split(loop.name, width, outer, inner);
    plan.Mark(DirectiveKind::kVectorize, *inner);
    if (loop.extent >= width && loop.extent % width != 0 && knobs_.Choose("overlap_columns", true, 1.05))
      plan.Mark(DirectiveKind::kOverlap, loop.name);
  }

  // So many turns of a loop at once.
  static void Together(Plan& plan, const LoopInfo& loop, int64_t turns, Loops& outer,
                       std::vector<std::string>& inner) {
    std::string block, turn;
    plan.Split(loop.name, turns, &block, &turn);
    plan.Mark(DirectiveKind::kUnroll, turn);
    if (loop.extent % turns != 0) plan.Mark(DirectiveKind::kOverlap, loop.name);
    outer.emplace_back(block, (loop.extent + turns - 1) / turns);
    inner.push_back(turn);
  }

  void Pointwise(Plan& plan) {
    Loops outer, within;
    std::vector<std::string> inner;
    std::vector<int64_t> periods = PeriodsOfChoices(plan, inside_ ? shared_loops_ : 0);
    bool chooses = std::count(periods.begin(), periods.end(), 0) < std::ssize(periods);
    PointwiseTile tile;
    if (!plan.domain.empty())
      tile = TilePointwise(plan, lanes_,
                           inside_              ? LoopUse::kInside
                           : shared_loops_ == 0 ? LoopUse::kAlone
                                                : LoopUse::kHolder,
                           chooses, knobs_);
    for (size_t i = 0; i < plan.domain.size(); ++i) {
      const LoopInfo& loop = plan.domain[i];
      bool last = i + 1 == plan.domain.size() && !(i < shared_loops_ && plan.domain.size() > shared_loops_);
      if (periods[i] > 0) {
        UnrollPeriod(plan, loop, periods[i], outer, inner);
        if (!inside_ && i + 1 == shared_loops_) BlockTiles(plan, outer);
        continue;
      }
      if (tile.together > 1 && i + 1 == shared_loops_ && i + 2 == plan.domain.size()) {
        Together(plan, loop, tile.together, outer, inner);
        continue;
      }
      if (!last && static_cast<int>(i) != tile.across) {
        outer.emplace_back(loop.name, loop.extent);
        continue;
      }
      std::string o, n;
      if (last) {
        Lanewise(plan, loop, tile.columns, &o, &n);
        inner.push_back(n);
      } else {
        plan.Split(loop.name, tile.rows, &o, &n);
        within.emplace_back(n, tile.rows);
      }
      int64_t block = last ? tile.columns : tile.rows;
      if (!o.empty()) outer.emplace_back(o, loop.extent < 0 ? kUnknown : (loop.extent + block - 1) / block);
    }
    if (tile.pieces > 1) InPieces(plan, tile.pieces, outer, within);
    if (!inside_ && shared_loops_ > 0) PlaceAt(outer);
    // Where the last shared loop is one vector there is no loop to be placed in.
    if (inside_ && outer.size() >= shared_loops_) places_[plan.view] = outer[shared_loops_ - 1].first;
    Parallel(plan, outer);
    outer.insert(outer.end(), within.begin(), within.end());
    plan.Order(FirstOf(outer), {}, inner);
  }

  // The last loop of `outer`, over tiles, in steps of as many as are computed at once.
  void BlockTiles(Plan& plan, Loops& outer) {
    auto [tiles, extent] = outer.back();
    block_ = TilesAtOnce(kernel_, target_);
    if (extent >= 0 && extent <= block_) return;
    std::string block, tile;
    plan.Split(tiles, block_, &block, &tile);
    outer.back() = {block, extent < 0 ? kUnknown : (extent + block_ - 1) / block_};
    outer.emplace_back(tile, block_);
  }

  // The innermost of the last equation's outer loops that the others share.
  void PlaceAt(const std::vector<std::pair<std::string, int64_t>>& outer) {
    place_loop_ = outer.empty() ? "" : outer[std::min(outer.size(), shared_loops_) - 1].first;
    for (size_t i = 0; i < std::min(outer.size(), shared_loops_); ++i)
      holder_loops_.push_back(outer[i].first);
  }

  static std::vector<std::string> FirstOf(const std::vector<std::pair<std::string, int64_t>>& loops) {
    std::vector<std::string> names;
    for (const auto& loop : loops) names.push_back(loop.first);
    return names;
  }

  // Vectors along the result's innermost axis, if the reads in reductions allow it, lane by lane where
  // `gathers`. False: they do not.
  bool ByLanes(Plan& plan, bool gathers = false) {
    const EquationView& view = *plan.view;
    size_t lane = plan.domain.size() - 1;
    const LoopInfo& columns = plan.domain[lane];
    if (lane < shared_loops_) return false;
    std::vector<const ReadView*> reads = InnerReads(view);
    bool dense = false, packed = false;
    const ReadView *strided = nullptr, *copied = nullptr;
    for (const ReadView* read : reads) {
      Motion motion = MotionOf(*read, plan.domain_indices[lane]);
      if (motion == Motion::kOther && !gathers) return false;
      if (motion == Motion::kStrided) strided = read;
      if (motion != Motion::kStill) copied = read;
      dense |= motion == Motion::kDense || motion == Motion::kPacked || motion == Motion::kSkips;
      packed |= motion == Motion::kPacked;
    }
    if (EndsByData(view, plan.domain_indices[lane])) return false;
    dense |= strided != nullptr || gathers;
    // Weights of a single block are read at the index itself.
    packed |=
        view.packed_axis >= 0 && plan.domain_indices[lane] == std::vector{view.indices[view.packed_axis]};
    if (!dense || (columns.extent >= 0 && columns.extent < lanes_ / 2 && !packed)) return false;

    // The rows of the tile: results that share what is read along the lanes.
    int rows = -1;
    bool reuse = false;
    for (int i = static_cast<int>(lane) - 1; i >= 0 && rows < 0; --i) {
      bool shared_column = false, moves = false;
      for (const ReadView* read : reads) {
        Motion by_lane = MotionOf(*read, plan.domain_indices[lane]);
        bool by_row = MotionOf(*read, plan.domain_indices[i]) != Motion::kStill;
        if (by_lane != Motion::kStill && !by_row) shared_column = true;
        if (by_lane == Motion::kStill && by_row) moves = true;
      }
      if (shared_column && moves && !EndsByData(view, plan.domain_indices[i])) rows = i, reuse = true;
    }
    // A copy that is dense along the lanes pays where several rows share it.
    if (strided && (!reuse || (plan.domain[rows].extent >= 0 && plan.domain[rows].extent < 4))) return false;
    if (rows < 0 && lane > 0 && plan.domain[lane - 1].extent != 1 &&
        !EndsByData(view, plan.domain_indices[lane - 1]))
      rows = static_cast<int>(lane) - 1;

    int64_t row_extent = rows < 0 ? 1 : plan.domain[rows].extent;
    if (rows >= 0 && inside_ && static_cast<size_t>(rows) < shared_loops_) {
      // Only a block of the shared loop is computed at a time.
      row_extent = static_cast<size_t>(rows) + 1 == shared_loops_ ? block_ : 1;
    }
    int64_t most_rows = rows < 0 ? 1 : MostRows(reads, plan.domain_indices[rows].back());
    // Where no whole number of vectors fits the columns, the rest of a copy's last one is filled.
    bool pads = reuse && !packed && !strided && columns.extent % lanes_ != 0 &&
                plan.domain[rows].extent >= kRowsForCopy && plan.domain_indices[lane].size() == 1 &&
                CopiesReachPast(view, plan.domain_indices[lane][0]);
    bool one_row = rows < 0 || (inside_ && static_cast<size_t>(rows) < shared_loops_ && row_extent == 1);
    int64_t width = lanes_, tall = 1;
    if (packed && view.packed_block > 0) {
      width = view.packed_block;
      if (!one_row) tall = TileRows(row_extent, width, most_rows);
    } else if (reuse) {
      width = TileColumns(row_extent, columns.extent, strided != nullptr);
      if (!one_row) tall = TileRows(row_extent, width, most_rows);
      pads &= columns.extent >= 0 && columns.extent < width;
      if (columns.extent >= 0 && columns.extent < width && !pads)
        width = std::max(lanes_, columns.extent / lanes_ * lanes_);
    } else if (!one_row) {
      width =
          windows_ ? kernel_.equations[0].packed_block : DepthwiseColumns(columns.extent, target_, knobs_);
      int64_t most = SharedPlaces(view, plan.domain_indices[rows].back(), plan.domain_indices[lane]);
      tall = DepthwiseRows(row_extent, width / lanes_, most, target_, knobs_);
    } else {
      width = ColumnsAtOnce(view, columns.extent, target_, knobs_);
    }

    std::vector<std::pair<std::string, int64_t>> outer;
    std::vector<std::string> inner;
    std::string column_outer, column_inner, row_outer, row_inner;
    int64_t panels = columns.extent < 0 ? kUnknown : (columns.extent + width - 1) / width;
    if (packed || pads || windows_) {
      plan.Split(columns.name, width, &column_outer, &column_inner);
      plan.Mark(DirectiveKind::kVectorize, column_inner);
    } else {
      Lanewise(plan, columns, width, &column_outer, &column_inner);
    }
    int64_t blocks = 1, tiles = 1;
    std::string row_tile;
    if (tall > 1) {
      const LoopInfo& loop = plan.domain[rows];
      blocks = loop.extent < 0 ? kUnknown : (loop.extent + tall - 1) / tall;
      plan.Split(loop.name, tall, &row_outer, &row_inner);
      plan.Mark(DirectiveKind::kUnroll, row_inner);
      if (reuse && !inside_ && static_cast<size_t>(rows) + 1 == shared_loops_)
        tiles = RowTilesAtOnce(kernel_, loop.extent, tall, target_, knobs_);
      // In a block of rows tiles begin where the block does.
      bool overlaps = tiles == 1 && loop.extent >= tall && loop.extent % tall != 0;
      bool has_blocks = inside_ && tiles_ > 1;
      // Elsewhere nothing is computed for the rows that the last tile lacks: it is code of its own.
      if (overlaps && (has_blocks || knobs_.Choose("overlap_rows", inside_, 1.05)))
        plan.Mark(DirectiveKind::kOverlap, loop.name);
      inner.push_back(row_inner);
    }
    inner.push_back(column_inner);
    for (size_t i = 0; i < lane; ++i) {
      if (static_cast<int>(i) == rows && tiles > 1) {
        std::string row_block;
        plan.Split(row_outer, tiles, &row_block, &row_tile);
        outer.emplace_back(row_block, blocks < 0 ? kUnknown : (blocks + tiles - 1) / tiles);
      } else if (static_cast<int>(i) == rows && tall > 1) {
        outer.emplace_back(row_outer, blocks);
      } else {
        outer.emplace_back(plan.domain[i].name, plan.domain[i].extent);
      }
    }
    if (!inside_ && shared_loops_ > 0) {
      PlaceAt(outer);
      block_ = rows >= 0 && static_cast<size_t>(rows) + 1 == shared_loops_ ? tall * tiles : 1;
      tiles_ = tiles;
    }
    if (!row_tile.empty()) outer.insert(outer.begin() + rows + 1, {row_tile, tiles});
    if (strided || pads) {
      // Made once for all rows: inside the last loop that it depends on besides the lanes.
      Directive transpose{DirectiveKind::kTranspose, {"", ""}};
      for (size_t i = 0; i < lane; ++i) {
        if (static_cast<int>(i) == rows || MotionOf(*copied, plan.domain_indices[i]) == Motion::kStill)
          continue;
        transpose.names = {"", outer[i].first};
        if (inside_ && i < holder_loops_.size())
          transpose.names = {kernel_.equations.back().loops.path, holder_loops_[i]};
      }
      plan.directives.push_back(transpose);
    }
    ColumnPlace placed;
    int window = reuse || inside_ || shared_loops_ > 0 ? -1 : WindowRows(plan, reads, lane);
    if (!column_outer.empty() && window >= 0) {
      PlaceWindows(plan, kernel_, {column_outer, panels}, window, SharedByThreads(), target_, knobs_, outer);
      if (windows_) PlaceProduct(plan, columns, width, column_outer);
    } else if (!column_outer.empty()) {
      placed = PlaceColumns(plan, reads, {column_outer, panels}, width, outer, lane, rows, reuse, tall);
    }
    if (reuse ? HasFill(reads) : FillsAlong(reads, plan.domain_indices[lane]))
      PlacePaddedCopy(plan, reads, placed, SharedOut(outer), SharedByThreads() ? target_.cores : 1, target_,
                      knobs_, outer);
    if (reuse && packed && !column_outer.empty() && !placed.weights_at_hand)
      Prefetch(plan, outer, column_outer, lane);
    if (reuse && !row_outer.empty() && !inside_) PrefetchAddends(plan, rows, row_outer);
    int shared = Parallel(plan, outer);
    std::vector<std::string> around = FirstOf(outer);
    if (reuse && packed && !column_outer.empty() && !inside_ && shared_loops_ == 0)
      ReduceInBlocks(plan, column_outer, width, target_, knobs_, around);
    if (!row_tile.empty()) ReduceTilesInBlocks(plan, row_tile, knobs_, around);
    if (around.size() == outer.size()) ShareInside(plan, outer, shared, Cycles(view), target_, knobs_);
    std::vector<std::string> reductions = OrderReductions(plan, reads, lane, reuse, knobs_);
    plan.Order(around, reductions, inner);
    return true;
  }

  // A block of the product that windows go over is computed inside the loop over such blocks. The last one
  // is whole, too, and the windows' weights go on as far.
  void PlaceProduct(Plan& plan, const LoopInfo& columns, int64_t width, const std::string& column_outer) {
    place_loop_ = column_outer;
    if (columns.extent % width != 0)
      plan.directives.push_back({DirectiveKind::kTranspose, {"", column_outer}});
  }

  // With `panels` a copy is made in them, where that leaves no part of one: what a tile reads lies together.
  int64_t TileColumns(int64_t rows, int64_t columns, bool panels) const {
    int64_t width = passes::ChooseRegisterTile(ForPasses(target_), rows, columns, 0, kElementBytes).columns;
    if (panels && columns % width != 0) width = WholePanels(rows, columns, width, target_);
    return knobs_.Choose("columns", width, OtherColumns(rows, columns, width, target_));
  }

  // Rows of one tile whose lines stay in the first cache while they are read from end to end.
  int64_t MostRows(const std::vector<const ReadView*>& reads, mlir::Value row) const {
    int64_t most = std::numeric_limits<int64_t>::max();
    for (const ReadView* read : reads) {
      int64_t bytes = BytesBetween(*read, row);
      if (bytes != 0) most = std::min(most, passes::LinesApart(ForPasses(target_), bytes));
    }
    return most;
  }

  int64_t TileRows(int64_t rows, int64_t columns, int64_t most) const {
    int64_t tall = passes::ChooseTileRows(ForPasses(target_), rows, columns, kElementBytes, most);
    return knobs_.Choose("rows", tall, OtherRows(rows, columns, tall, target_));
  }

  // Weights of a network come from memory, and the first rows of a block would wait for them.
  void Prefetch(Plan& plan, const Loops& outer, const std::string& columns, size_t lane) const {
    auto weights = PackedAlong(*plan.view, plan.domain_indices[lane].back());
    if (!weights || inside_) return;
    double steps = 0.25;  // the innermost loop of the reductions is unrolled by about four
    bool is_inside = false;
    for (const auto& [name, extent] : outer) {
      if (is_inside) steps *= static_cast<double>(extent < 0 ? kUnknownSteps : extent);
      is_inside |= name == columns;
    }
    for (const LoopInfo& loop : plan.reductions) steps *= static_cast<double>(Extent(loop));
    double lines = static_cast<double>(weights->block * kElementBytes) / kLineBytes;
    bool pays = kFewestSteps * steps > lines && steps <= kMostSteps * lines;
    if (!knobs_.Choose("prefetch", pays, 1.05)) return;
    plan.directives.push_back({DirectiveKind::kPrefetch, {columns}});
  }

  // What is added to the sums of a tile, as a shortcut is, is asked for in front of them.
  void PrefetchAddends(Plan& plan, int rows, const std::string& tiles) const {
    if (ReadBesideSums(*plan.view, plan.domain_indices[rows]).empty()) return;
    if (!knobs_.Choose("addends", true, 1.05)) return;
    plan.directives.push_back({DirectiveKind::kPrefetch, {tiles}});
  }

  // Vectors along another axis of the result: the places of a gather differ by element, not by channel.
  bool ByOtherLanes(Plan& plan) {
    for (size_t i = plan.domain.size() - 1; i-- > 0 && !inside_ && shared_loops_ == 0;) {
      bool dense = false, together = plan.domain[i].extent < 0 || plan.domain[i].extent >= lanes_;
      for (const ReadView* read : InnerReads(*plan.view)) {
        Motion motion = MotionOf(*read, plan.domain_indices[i]);
        dense |= motion == Motion::kDense;
        together &= motion == Motion::kDense || motion == Motion::kStill;
      }
      Plan rotated = plan;
      auto last = [i](auto& list) { std::rotate(list.begin() + i, list.begin() + i + 1, list.end()); };
      last(rotated.domain), last(rotated.domain_indices);
      if (dense && together && ByLanes(rotated)) return plan = rotated, true;
    }
    return false;
  }

  // Where data says where the lanes read.
  bool ByGathers(Plan& plan) {
    return !inside_ && shared_loops_ == 0 && MayGatherLanes(plan, lanes_) && ByLanes(plan, true);
  }

  // Where the loop over column blocks stands among the others. Blocks of weights that do not stay in the
  // cache all together are walked in the outermost loop, so that each is loaded once, or in the loop over
  // blocks of the input.
  ColumnPlace PlaceColumns(Plan& plan, const std::vector<const ReadView*>& reads,
                           const std::pair<std::string, int64_t>& columns, int64_t width, Loops& outer,
                           size_t lane, int rows, bool reuse, int64_t tall) {
    double weights = kElementBytes * static_cast<double>(width * (columns.second < 0 ? 8 : columns.second));
    for (const LoopInfo& loop : plan.reductions) weights *= static_cast<double>(Extent(loop, 64));
    size_t place = outer.size();
    ColumnPlace placed;
    if (reuse) {
      // Loops that the weights themselves move with, other columns and groups, go outside.
      auto moves_weights = [&](size_t i) {
        return static_cast<int>(i) != rows &&
               std::any_of(reads.begin(), reads.end(), [&](const ReadView* read) {
                 return MotionOf(*read, plan.domain_indices[lane]) != Motion::kStill &&
                        MotionOf(*read, plan.domain_indices[i]) != Motion::kStill;
               });
      };
      size_t first = 0;
      // What is computed inside has one step, or one block, of the shared loops.
      bool free = shared_loops_ == 0 || (inside_ && plan.view->packed_axis >= 0);
      for (size_t i = 0; i < lane; ++i) {
        if (!moves_weights(i)) continue;
        size_t to = free ? first : i;
        std::rotate(outer.begin() + to, outer.begin() + i, outer.begin() + i + 1);
        first = to + 1;
      }
      if (!free) first = std::max(first, shared_loops_);
      bool stays = weights <= 0.5 * static_cast<double>(target_.l2_bytes);
      placed.weights_at_hand = weights <= 2 * static_cast<double>(target_.l1_bytes);
      bool balanced = first > 0 || !SharedByThreads() || Imbalance(columns.second) < 1.15;
      bool others_balanced = false;
      for (size_t i = first; i < outer.size(); ++i) others_balanced |= Imbalance(outer[i].second) < 1.15;
      place = first;
      if ((stays && others_balanced) || (!balanced && others_balanced)) {
        // Inside the loop that threads share, but around the rows.
        for (place = first; place < outer.size() && Imbalance(outer[place].second) >= 1.15;) ++place;
        place = std::min(place + 1, outer.size());
      }
      if (place == first && shared_loops_ == 0 && !inside_) {
        std::optional<InputBlock> block =
            BlockOfInput(plan, reads, outer, first, tall, {weights, columns.second}, target_);
        if (block && knobs_.Choose("input", true, 1.05)) {
          placed.input_blocks = SplitInput(plan, *block, outer);
          place = block->loop + 1;
        }
      }
      std::vector<KnobValue> others;
      for (size_t other = first; other <= outer.size(); ++other)
        others.push_back({static_cast<int64_t>(other), 1.1});
      // All rows of a block before the next columns.
      if (inside_ && tiles_ > 1 && static_cast<size_t>(rows) + 1 == shared_loops_) {
        place = shared_loops_ - 1;
        others.push_back({static_cast<int64_t>(place), 1});
      }
      place = knobs_.Choose("place", static_cast<int64_t>(std::min(place, outer.size())), std::move(others));
    }
    outer.insert(outer.begin() + static_cast<int64_t>(std::min(place, outer.size())), columns);
    return placed;
  }

  // The loop over blocks of the input.
  std::string SplitInput(Plan& plan, const InputBlock& block, Loops& outer) {
    auto [loop, extent] = outer[block.loop];
    if (block.steps == 1) return loop;
    std::string blocks, step;
    plan.Split(loop, block.steps, &blocks, &step);
    outer[block.loop] = {blocks, (extent + block.steps - 1) / block.steps};
    outer.insert(outer.begin() + static_cast<int64_t>(block.loop) + 1, {step, block.steps});
    return blocks;
  }

  // Reductions along what lies densely in memory: partial results in the lanes. The result itself is
  // vectorized where it has an axis that no reduction needs.
  void ByRows(Plan& plan) {
    const EquationView& view = *plan.view;
    std::vector<std::pair<std::string, int64_t>> outer;
    std::vector<std::string> inner, reductions;
    for (size_t i = 0; i < plan.reductions.size(); ++i) {
      const LoopInfo& loop = plan.reductions[i];
      if (!HasDenseLanes(plan, i, lanes_)) {
        reductions.push_back(loop.name);
        continue;
      }
      int64_t width = LanesAtOnce(loop.extent, target_, knobs_);
      std::string o, n;
      plan.Split(loop.name, width, &o, &n);
      plan.Mark(DirectiveKind::kVectorize, n);
      reductions.push_back(o), reductions.push_back(n);
    }
    for (size_t i = 0; i < plan.domain.size(); ++i) {
      const LoopInfo& loop = plan.domain[i];
      bool reduced = false;
      for (const ReduceView& reduce : view.reduces)
        reduced |= Mentions(plan.domain_indices[i], reduce.op->getResult(0));
      bool last = i + 1 == plan.domain.size();
      if (!last || reduced || (loop.extent >= 0 && loop.extent < lanes_ / 2)) {
        outer.emplace_back(loop.name, loop.extent);
        continue;
      }
      std::string o, n;
      Lanewise(plan, loop, lanes_, &o, &n);
      if (!o.empty()) outer.emplace_back(o, loop.extent < 0 ? kUnknown : (loop.extent + lanes_ - 1) / lanes_);
      inner.push_back(n);
    }
    if (!inside_ && shared_loops_ > 0) PlaceAt(outer);
    Parallel(plan, outer);
    plan.Order(FirstOf(outer), reductions, inner);
  }

  const KernelView& kernel_;
  const Target& target_;
  Joins joins_;
  Knobs& knobs_;
  int64_t lanes_;
  std::vector<int> shared_;  // positions of the shared loops in the domain of the equation at hand
  size_t shared_loops_ = 0;
  bool inside_ = false;
  bool windows_ = false;  // the kernel's are computed with the product that they go over
  std::string place_loop_;
  std::vector<std::string> holder_loops_;  // the shared loops as the last equation runs them
  int64_t block_ = 1;                      // of the last shared loop, in the equation that holds the others
  int64_t tiles_ = 1;                      // of that equation in such a block
  std::map<const EquationView*, std::string> places_;  // innermost shared loop of what is computed inside
  double cycles_ = 0;                                  // of what the equation at hand holds, for one thread
};

}  // namespace

Schedule DefaultSchedule(const KernelView& kernel, const Target& target) {
  Knobs knobs;
  return DefaultSchedule(kernel, target, knobs);
}

Schedule DefaultSchedule(const KernelView& kernel, const Target& target, Knobs& knobs) {
  Joins joins = FindJoins(kernel);
  while (true) {
    knobs.Restart();
    Schedule schedule = Chooser(kernel, target, joins, knobs).Run();
    // Joined loops stand or fall together, and an equation that is cut somewhere does not join all of its
    // own: what then cannot be joined elsewhere is taken back.
    std::set<std::pair<mlir::Operation*, int>> wanted;
    for (size_t i = 0; i < kernel.equations.size(); ++i) {
      std::vector<std::vector<std::string>> named;
      for (const Directive& directive : schedule.equations[i].directives) {
        if (directive.kind == DirectiveKind::kJoin) named.push_back(directive.names);
      }
      wanted.merge(JoinedPairs(kernel.equations[i], named));
    }
    Joins possible = FindJoins(kernel, &wanted);
    size_t before = joins.loops.size();
    for (const auto& pair : wanted) {
      if (!possible.loops.count(pair)) joins.loops.erase(pair);
    }
    if (joins.loops.size() == before) return schedule;
    std::set<std::pair<mlir::Operation*, int>> left = joins.loops;
    joins = FindJoins(kernel, &left);
  }
}

}  // namespace weft::backends
