// What is computed at once of an equation that stands inside the loops of another.

#include <algorithm>
#include <numeric>

#include "backends/halide/pipeline_builder.h"

namespace weft::backends {

namespace {

// A part of a loop that is split, and how far one step of it goes.
struct Part {
  std::string name;
  int64_t stride = 1;
};

// Parts of the loop `name`. Where a last step is moved back, `step` then also divides where that begins.
void CollectParts(const LoopNest& nest, const std::string& name, int64_t extent, int64_t stride,
                  std::vector<Part>& parts, int64_t& step) {
  if (!nest.IsSplit(name)) return parts.push_back({name, stride});
  auto [outer, inner] = nest.Parts(name);
  int64_t factor = nest.Find(inner).factor;
  if (nest.Find(name).overlap) step = extent < 0 ? 1 : std::gcd(step, (extent - factor) * stride);
  CollectParts(nest, inner, factor, stride, parts, step);
  CollectParts(nest, outer, extent < 0 ? extent : (extent + factor - 1) / factor, stride * factor, parts,
               step);
}

}  // namespace

// Of the loop of `index`, `extent` long, in one step of the loop that `equation` is computed in. Loops that
// the equations do not share are needed as a whole.
PipelineBuilder::Region PipelineBuilder::RegionOf(const EquationState& equation, mlir::Value index,
                                                  int64_t extent) {
  const LoopNest& nest = equation.nest;
  EquationState* reader = nest.placed && !nest.at_equation.empty() ? FindEquation(nest.at_equation) : nullptr;
  const EquationView& view = *equation.view;
  size_t k = 0;
  while (k < view.common.size() && view.indices[view.common[k]] != index) ++k;
  if (!reader || k == view.common.size()) return {0, extent};
  const EquationView& other = *reader->view;
  mlir::Value theirs = other.indices[other.common[k]];
  std::string name = other.loops.domain[other.common[k]].name;
  for (const auto& join : reader->nest.joins)
    if (std::find(join.begin(), join.end(), name) != join.end()) name = join.back();

  Region region = RegionOf(*reader, theirs, extent);
  std::vector<Part> parts;
  CollectParts(reader->nest, name, extent, 1, parts, region.step);
  for (const std::string& around : reader->nest.outer) {
    for (const Part& part : parts) {
      if (part.name != around) continue;
      region.step = std::gcd(region.step, part.stride);
      region.least = region.least < 0 ? part.stride : std::min(region.least, part.stride);
    }
    if (around == nest.at_loop) break;
  }
  return region;
}

}  // namespace weft::backends
