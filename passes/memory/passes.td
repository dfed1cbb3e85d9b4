include "passes/pass.td"

def PlanMemory : WeftPass<"weft-plan-memory", "mlir::ModuleOp"> {
  let summary = "Give every launch result a place";
  let description = [{
    Sizes that are numbers: one arena (module attr `weft.arena`, bytes), reused by lifetime. Sizes known at run time: a
    slot each (`weft.dynamic`; attr `weft.slots` of the function says how many), reused where two results of the same
    size never live together. Outputs of a method are written where the caller wants them.
  }];
  let options = [
    Option<"alignment", "alignment", "int64_t", "64", "Of every offset">,
  ];
}
