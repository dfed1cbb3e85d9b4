#ifndef WEFT_PASSES_PIPELINE_PIPELINE_H_
#define WEFT_PASSES_PIPELINE_PIPELINE_H_

#include <string>
#include <vector>

#include "mlir/Pass/PassManager.h"
#include "passes/target/target.h"

namespace weft::passes {

struct PipelineOptions {
  TargetDescription target;
  // Stop behind the last run of this pass or stage, by the name that PassNames gives; empty: run everything.
  std::string after;
  // The error that 3x3 convolutions may have, relative to their largest result, where the module's
  // `weft.tolerances` say nothing of them.
  double tolerance = 0;
  // Passes to leave out, by the names that PassNames gives: programs compute the same without them.
  std::vector<std::string> without;
  // Remarks say which costs of the program as written were avoided, and which were not, and launches
  // (attribute `apart`) why their equations are not in the kernels whose results they read.
  bool explain = false;
};

// Adds all passes from a lowered module to kernels, launches and a memory plan. An unknown `after` runs
// everything: callers check it with PassNames first.
void BuildPipeline(mlir::OpPassManager& manager, const PipelineOptions& options);

// The passes that may be left out.
std::vector<std::string> OptionalPasses();

// What `PipelineOptions::after` may be, in the order of the pipeline: names of stages ("simplify") and of
// their passes
// ("fold-views").
std::vector<std::string> PassNames();

// Makes every pass known to the command line of weft-opt, and the whole as `--weft-pipeline`.
void RegisterPasses();

}  // namespace weft::passes

#endif  // WEFT_PASSES_PIPELINE_PIPELINE_H_
