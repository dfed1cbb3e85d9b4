include "passes/pass.td"

def UpdateInPlace : WeftPass<"weft-update-in-place", "mlir::ModuleOp"> {
  let summary = "Write a changed slice of a state over the state itself";
  let description = [{
    A step whose new state is `weft.update` of the one before needs no second copy of it, if all that reads the one
    before can run first. Attribute `weft.in_place` of `weft.iterate`, one entry per state. Where the next value of a state
    of the program is `weft.update` of the state, once or several times, the launches have the attribute: each changes
    its part of the place where that value belongs, and, when the run has succeeded, of the state. Where the steps of a loop
    change a state of the program so, the attribute `weft.changes_state` of `weft.iterate` has true for it: the loop works
    on that place, and what each step has put into it is kept until the run has succeeded.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}

def PlanMemory : WeftPass<"weft-plan-memory", "mlir::ModuleOp"> {
  let summary = "Give every launch result a place";
  let description = [{
    Sizes that are numbers: one arena (module attr `weft.arena`, bytes), reused by lifetime, and so that threads find in
    their parts of a result what they had themselves before, where up to a tenth more memory allows that. Sizes known at run time: a
    slot each (`weft.dynamic`), which the runtime places by lifetime when the sizes are known. The attr `weft.slots` of
    the function has three numbers for each: the segment in which it is placed (`weft.segment` of the `weft.found` that
    it begins behind; 0: when the program starts), and the first and the last time at which it is needed. Outputs of a
    method are written where the caller wants them.
  }];
  let options = [
    Option<"alignment", "alignment", "int64_t", "64", "Of every offset">,
    Option<"threads", "threads", "int64_t", "1", "Between which results are divided evenly">,
  ];
}
