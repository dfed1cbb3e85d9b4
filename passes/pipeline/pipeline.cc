#include "passes/pipeline/pipeline.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/fusion/passes.h"
#include "passes/inline/passes.h"
#include "passes/layout/passes.h"
#include "passes/loadtime/passes.h"
#include "passes/math/passes.h"
#include "passes/memory/passes.h"
#include "passes/outline/passes.h"
#include "passes/simplify/passes.h"
#include "passes/winograd/passes.h"

namespace weft::passes {
namespace {

using Create = std::function<std::unique_ptr<mlir::Pass>(const PipelineOptions&)>;

struct Step {
  std::string pass;
  Create create;
  bool on_functions = true;  // or on the module
};

struct Stage {
  std::string name;
  std::vector<Step> steps;
};

using Creator = std::unique_ptr<mlir::Pass> (*)();

Step OnFunctions(std::string name, Creator create) {
  return {std::move(name), [create](const PipelineOptions&) { return create(); }, true};
}

Step OnModule(std::string name, Creator create) {
  return {std::move(name), [create](const PipelineOptions&) { return create(); }, false};
}

Step Canonicalize() {
  return {"canonicalize", [](const PipelineOptions&) { return mlir::createCanonicalizerPass(); }, false};
}

std::unique_ptr<mlir::Pass> Partitioning(const PipelineOptions& options) {
  return createPartitionChoices({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Bounding(const PipelineOptions& options) {
  return createNarrowRanges({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Scanning(const PipelineOptions& options) {
  return createScanPrefixes({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Segmenting(const PipelineOptions& options) {
  return createSegmentReductions({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Narrowing(const PipelineOptions& options) {
  return createNarrowHistories({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Updating(const PipelineOptions& options) {
  return createUpdateRows({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> UpdatingInPlace(const PipelineOptions& options) {
  return createUpdateInPlace({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Blocking(const PipelineOptions& options) {
  return createBlockRecurrences({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> BoundingMasked(const PipelineOptions& options) {
  return createBoundMaskedReductions({.explain = options.explain});
}

std::unique_ptr<mlir::Pass> Transforming(const PipelineOptions& options) {
  return createTransformConvolutions({.tolerance = options.tolerance,
                                      .vectorBytes = options.target.vector_bytes,
                                      .l2Bytes = options.target.l2_bytes,
                                      .explain = options.explain});
}

std::unique_ptr<mlir::Pass> Packing(const PipelineOptions& options) {
  return createPackWeights(
      {.vectorBytes = options.target.vector_bytes, .vectorRegisters = options.target.vector_registers});
}

std::unique_ptr<mlir::Pass> Grouping(const PipelineOptions& options) {
  return createGroupEquations(
      {.l2Bytes = options.target.l2_bytes, .threads = options.target.threads, .explain = options.explain});
}

std::unique_ptr<mlir::Pass> PlanningMemory(const PipelineOptions& options) {
  return createPlanMemory({.threads = options.target.threads});
}

// The table of contents: what happens to a program, in order.
std::vector<Stage> Stages() {
  return {
      {"inline",
       {
           OnFunctions("inline-parallel", createInlineParallel),
           {"partition-choices", Partitioning, true},
           {"narrow-ranges", Bounding, true},
           {"scan-prefixes", Scanning, true},
           {"segment-reductions", Segmenting, true},
           {"narrow-histories", Narrowing, true},
           {"update-rows", Updating, true},
           OnFunctions("hoist-from-steps", createHoistFromSteps),
           OnModule("outline-steps", createOutlineSteps),
           Canonicalize(),
       }},
      {"simplify",
       {
           OnFunctions("lower-concat", createLowerConcat),
           OnFunctions("fold-views", createFoldViews),
           OnFunctions("simplify-subscripts", createSimplifySubscripts),
           // Reads through folded copies have new index arithmetic, and reductions that move out leave new
           // copies.
           OnFunctions("fold-copies", createFoldCopies),
           OnFunctions("hoist-invariants", createHoistInvariants),
           // Reductions that moved out have indices of their own.
           {"segment-reductions", Segmenting, true},
           OnFunctions("fold-views", createFoldViews),
           OnFunctions("fold-copies", createFoldCopies),
           OnFunctions("simplify-subscripts", createSimplifySubscripts),
           OnFunctions("factor-sums", createFactorSums),
           Canonicalize(),
           OnModule("eliminate-common-equations", createEliminateCommonEquations),
       }},
      {"fusion",
       {
           // Early, so that what follows a contraction is in its body when its weights are scaled and packed.
           OnFunctions("compose-equations", createComposeEquations),
           OnFunctions("simplify-subscripts", createSimplifySubscripts),
       }},
      {"loadtime",
       {
           OnFunctions("fold-scaling", createFoldScaling),
           OnFunctions("extract-constants", createExtractConstants),
           OnModule("eliminate-common-equations", createEliminateCommonEquations),
           Canonicalize(),
       }},
      {"winograd",
       {
           // Behind fold-scaling, so that weights are what they are multiplied by; what layouts and packing
           // see are the equations that there will be.
           {"transform-convolutions", Transforming, true},
       }},
      {"layout",
       {
           OnFunctions("choose-layout", createChooseLayout),
           {"pack-weights", Packing, true},
           OnModule("eliminate-common-equations", createEliminateCommonEquations),
       }},
      {"loadtime",
       {
           OnModule("split-prepare", createSplitPrepare),
       }},
      {"fusion",
       {
           OnFunctions("compose-equations", createComposeEquations),
           // Behind the compositions: what a step compares is one equation then.
           {"block-recurrences", Blocking, false},
           Canonicalize(),
           OnModule("eliminate-common-equations", createEliminateCommonEquations),
           OnFunctions("copy-outputs", createCopyOutputs),
           OnFunctions("simplify-subscripts", createSimplifySubscripts),
           Canonicalize(),
           // While functions are still operations of their own, and nothing is composed any more.
           {"bound-masked-reductions", BoundingMasked, true},
           {"group-equations", Grouping, true},
       }},
      {"outline",
       {
           OnModule("fuse-steps", createFuseSteps),
           OnModule("outline-kernels", createOutlineKernels),
           Canonicalize(),
           OnModule("deduplicate-kernels", createDeduplicateKernels),
       }},
      {"math",
       {
           OnModule("expand-math", createExpandMath),
       }},
      {"memory",
       {
           {"update-in-place", UpdatingInPlace, false},
           {"plan-memory", PlanningMemory, false},
       }},
  };
}

}  // namespace

void BuildPipeline(mlir::OpPassManager& manager, const PipelineOptions& options) {
  std::vector<Stage> stages = Stages();
  std::vector<const Step*> steps;
  size_t end = 0;
  for (const Stage& stage : stages) {
    for (const Step& step : stage.steps) {
      steps.push_back(&step);
      if (step.pass == options.after) end = steps.size();
    }
    if (stage.name == options.after) end = steps.size();
  }
  if (end != 0) steps.resize(end);
  for (const Step* step : steps) {
    if (std::find(options.without.begin(), options.without.end(), step->pass) != options.without.end())
      continue;
    if (step->on_functions) {
      manager.addNestedPass<mlir::func::FuncOp>(step->create(options));
    } else {
      manager.addPass(step->create(options));
    }
  }
}

std::vector<std::string> PassNames() {
  std::vector<std::string> names;
  auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Stage& stage : Stages()) {
    add(stage.name);
    for (const Step& step : stage.steps) add(step.pass);
  }
  return names;
}

std::vector<std::string> OptionalPasses() {
  return {"partition-choices", "narrow-ranges", "scan-prefixes",          "segment-reductions",
          "narrow-histories",  "update-rows",   "hoist-from-steps",       "hoist-invariants",
          "factor-sums",       "fold-scaling",  "transform-convolutions", "bound-masked-reductions"};
}

void RegisterPasses() {
  registerInlinePasses();
  registerSimplifyPasses();
  registerWinogradPasses();
  registerLayoutPasses();
  registerLoadtimePasses();
  registerFusionPasses();
  registerOutlinePasses();
  registerMathPasses();
  registerMemoryPasses();
  static mlir::PassPipelineRegistration<> whole(
      "weft-pipeline", "All passes, for the default target description",
      [](mlir::OpPassManager& manager) { BuildPipeline(manager, {}); });
}

}  // namespace weft::passes
