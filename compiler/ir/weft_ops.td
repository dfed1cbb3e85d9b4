#ifndef WEFT_COMPILER_IR_WEFT_OPS_TD_
#define WEFT_COMPILER_IR_WEFT_OPS_TD_

include "compiler/ir/weft_dialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Weft_LoopOrder : I32EnumAttr<"LoopOrder", "the order of a loop's steps", [
    I32EnumAttrCase<"parallel", 0>, I32EnumAttrCase<"up", 1>, I32EnumAttrCase<"down", 2>]> {
  let cppNamespace = "::weft::ir";
}

def Weft_EquationOp : Weft_Op<"equation", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "Tensors defined by scalar bodies at every point of a domain";
  let description = [{
    C1. The region has one `index` argument per extent, and `names` one name per extent.
    C2. Every result is a ranked tensor whose shape is the extents: a number where the extent is one, `?` elsewhere.
    C3. The body yields one value per result, of its element type, without a condition.

        %y = weft.equation (%i) in (4) names ["i"] {
          %a = weft.read %x[%i] : tensor<4xf32> -> f32
          weft.yield %a : f32
        } : tensor<4xf32>
  }];
  let arguments = (ins Variadic<Index>:$extents, DenseI64ArrayAttr:$static_extents, StrArrayAttr:$names,
                       OptionalAttr<StrAttr>:$path);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "::mlir::TypeRange":$types, "::llvm::ArrayRef<::mlir::OpFoldResult>":$extents,
                   "::llvm::ArrayRef<::llvm::StringRef>":$names, "::llvm::StringRef":$path,
                   "::llvm::function_ref<void(::mlir::OpBuilder&, ::mlir::Location, ::mlir::ValueRange)>":$body)>
  ];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedExtents();
  }];
}

def Weft_ReduceOp : Weft_Op<"reduce", [SingleBlock, RecursiveMemoryEffects, AttrSizedOperandSegments]> {
  let summary = "A reduction over index ranges, inside a body";
  let description = [{
    C1. The region has one `index` argument per range; `lower`, `upper` and `names` have one entry per range.
    C2. The body yields one value, optionally with a condition of type i1: elements count where it holds.
    C3. `argmax` and `argmin` give an `index`, the row-major position over the ranges; all others the type of the body.
    C4. `any` and `all` reduce i1.
    C5. The value if empty has the result's type.
    C6. `counted_from` and `counted_to` are maps from the indices of the equation around it; a reduction over one range,
    without condition and value if empty, may have them.

    With them, elements in front of the largest result of `counted_from`, or from the least one of `counted_to` on, are
    neutral as long as one element is reduced: a back end may leave out all of them, or some.
  }];
  let arguments = (ins Weft_ReduceKind:$kind, Variadic<Index>:$lower, Variadic<Index>:$upper,
                       Optional<AnyType>:$if_empty, StrArrayAttr:$names);
  let results = (outs AnyType:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "::mlir::Type":$type, "ReduceKind":$kind, "::mlir::ValueRange":$lower,
                   "::mlir::ValueRange":$upper, "::llvm::ArrayRef<::llvm::StringRef>":$names,
                   "::mlir::Value":$if_empty,
                   "::llvm::function_ref<void(::mlir::OpBuilder&, ::mlir::Location, ::mlir::ValueRange)>":$body)>
  ];
}

def Weft_ReadOp : Weft_Op<"read", [NoMemoryEffect, AttrSizedOperandSegments]> {
  let summary = "One element of a tensor";
  let description = [{
    C1. One subscript per axis of the tensor, and one word of `outside` per subscript.
    C2. There is a fill value exactly where some subscript says `fill`; it has the element type.
    C3. The result has the element type.
  }];
  let arguments = (ins AnyRankedTensor:$tensor, Variadic<Index>:$subscripts, Optional<AnyType>:$fill,
                       DenseI32ArrayAttr:$outside);
  let results = (outs AnyType:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "::mlir::Value":$tensor, "::mlir::ValueRange":$subscripts,
                   "::llvm::ArrayRef<Outside>":$outside, "::mlir::Value":$fill)>
  ];
  let extraClassDeclaration = [{
    Outside getOutsideAt(unsigned axis) { return static_cast<Outside>(getOutside()[axis]); }
  }];
}

def Weft_RandomOp : Weft_Op<"random", [Pure]> {
  let summary = "32 random bits, a function of a seed and counters";
  let description = [{
    The first word of the block of Philox4x32-10 (Salmon et al., 2011) whose key is the seed, low half first, and whose
    counters are the low halves of `counters`.

    C1. There are four counters.

        %b = weft.random %seed at %i, %j, %zero, %zero
  }];
  let arguments = (ins I64:$seed, Variadic<I64>:$counters);
  let results = (outs I64:$bits);
  let assemblyFormat = "$seed `at` $counters attr-dict";
  let hasVerifier = 1;
}

def Weft_YieldOp : Weft_Op<"yield", [NoMemoryEffect, Terminator, ReturnLike, AttrSizedOperandSegments,
                                     ParentOneOf<["EquationOp", "ReduceOp", "LoopOp"]>]> {
  let summary = "What a body computes";
  let arguments = (ins Variadic<AnyType>:$values, Optional<I1>:$condition);
  let assemblyFormat = "$values (`if` $condition^)? attr-dict `:` type($values)";
  let builders = [
    OpBuilder<(ins "::mlir::ValueRange":$values), [{ build($_builder, $_state, values, ::mlir::Value()); }]>
  ];
}

def Weft_LoopOp : Weft_Op<"loop", [SingleBlock, RecursiveMemoryEffects, AttrSizedOperandSegments]> {
  let summary = "Statements under indices, or step by step";
  let description = [{
    C1. The region has one `index` argument per extent, and `names` one name per extent; steps have one extent.
    C2. `parallel`: every yielded value is a tensor; the result's shape is the extents followed by its shape.

    `up` (from step 0) and `down` (to it): states, one per yielded slice. `given` counts the slices of each that
    `from` holds, the one next to the axis first: those at -1, -2, ... upwards, at extent, extent + 1, ... downwards.

    C3. `given`, `window`, `history` and `keep` have one entry per state, and no window is wider than what is given.
    C4. After the index, the region has for each state `window` slices, of 1, 2, ... steps ago, then, where `history`
        says so, all positions: given ones before those of the axis upwards, behind them downwards.
    C5. `keep` says what becomes a result: `all` slices in the order of positions, the `last` one, or `none`.
    C6. `sizes` has the run-time sizes of the slices, in the order of states and axes.
    C7. With the attribute `weft.until` the last state is one i1, of which nothing is given, read or kept: the first
        step where it is true is the last one. There is one more result, an i64: how many steps were made. The other
        results have room for all.
    C8. With `weft.ends_by_point` too, points are stepped together: they are the first axes of all other slices. Of the
        two states before the last, an i1 and an i64 per point, one says which points have ended, one after how many
        steps; the last one is whether all have. What a point has made at its end does not depend on the others.

        %y = weft.loop up (%t) in (8) names ["t"] state (%h: tensor<4xf32>) from (%h0 : tensor<4xf32>)
            attributes {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} {
          %next = weft.equation (%i) in (4) names ["i"] { ... } : tensor<4xf32>
          weft.yield %next : tensor<4xf32>
        } : tensor<8x4xf32>
  }];
  let arguments = (ins Weft_LoopOrder:$order, Variadic<Index>:$extents, DenseI64ArrayAttr:$static_extents,
                       StrArrayAttr:$names, Variadic<AnyRankedTensor>:$from, Variadic<Index>:$sizes,
                       OptionalAttr<DenseI64ArrayAttr>:$given, OptionalAttr<DenseI64ArrayAttr>:$window,
                       OptionalAttr<DenseBoolArrayAttr>:$history, OptionalAttr<StrArrayAttr>:$keep);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "::mlir::TypeRange":$types, "::llvm::ArrayRef<::mlir::OpFoldResult>":$extents,
                   "::llvm::ArrayRef<::llvm::StringRef>":$names,
                   "::llvm::function_ref<void(::mlir::OpBuilder&, ::mlir::Location, ::mlir::ValueRange)>":$body)>,
    // Steps. `body` gets the index and the arguments of the states.
    OpBuilder<(ins "::mlir::TypeRange":$types, "LoopOrder":$order, "::mlir::OpFoldResult":$extent,
                   "::llvm::StringRef":$name, "::mlir::TypeRange":$state_types, "::mlir::ValueRange":$from,
                   "::mlir::ValueRange":$sizes, "const LoopStates&":$states,
                   "::llvm::function_ref<void(::mlir::OpBuilder&, ::mlir::Location, ::mlir::ValueRange)>":$body)>
  ];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedExtents();
    bool isParallel() { return getOrder() == LoopOrder::parallel; }
    // Of steps.
    LoopStates getStates();
  }];
}

def Weft_IterateOp : Weft_Op<"iterate", [NoMemoryEffect, AttrSizedOperandSegments,
                                         DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Run a function once per step";
  let description = [{
    What becomes of a `weft.loop` of steps whose body is a function of its own (`weft.step`). The attributes and `from`
    are those of the loop.

    C1. The callee takes the step's index, the states' arguments as a loop's region does, and `inputs`: tensors, then
        `index` values; it returns one slice per state.
    C2. The states and `weft.until` are as in `weft.loop`, C3 to C7.

        %y = weft.iterate up @step [8] (%x : tensor<8x4xf32>) from (%h0 : tensor<4xf32>) {...} : tensor<8x4xf32>
  }];
  let arguments = (ins Weft_LoopOrder:$order, FlatSymbolRefAttr:$callee, Variadic<Index>:$extents,
                       DenseI64ArrayAttr:$static_extents, Variadic<AnyType>:$inputs,
                       Variadic<AnyRankedTensor>:$from, Variadic<Index>:$sizes, DenseI64ArrayAttr:$given,
                       DenseI64ArrayAttr:$window, DenseBoolArrayAttr:$history, StrArrayAttr:$keep);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $order $callee custom<DynamicIndexList>($extents, $static_extents) (`(` $inputs^ `:` type($inputs) `)`)?
    (`from` `(` $from^ `:` type($from) `)`)? (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::OpFoldResult getExtent();
    LoopStates getStates();
  }];
}

def Weft_WeightOp : Weft_Op<"weight", [Pure]> {
  let summary = "A weight or a state, by the path that weight files call it";
  let description = [{
    With `changes` some method of the program gives the state another value: here it has the one before the run, and no
    load-time computation reads it. A method returns the value after the run as a result with the attribute `weft.next`,
    the path; the program's own results come before.
  }];
  let arguments = (ins StrAttr:$path, UnitAttr:$state, UnitAttr:$changes, OptionalAttr<F64Attr>:$fill,
                       OptionalAttr<DenseI64ArrayAttr>:$range);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$path attr-dict `:` type($result)";
}

def Weft_PreparedOp : Weft_Op<"prepared", [Pure]> {
  let summary = "A result of @prepare, computed when the program is created";
  let arguments = (ins I64Attr:$position);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$position attr-dict `:` type($result)";
}

def Weft_CheckOp : Weft_Op<"check"> {
  let summary = "A relation of sizes that must hold when the program meets its inputs";
  let description = [{
    In the message `{0}` stands for the first of the values.
  }];
  let arguments = (ins Weft_CheckRelation:$relation, Index:$lhs, Index:$rhs, StrAttr:$message,
                       Variadic<Index>:$values);
  let assemblyFormat = "$relation $lhs `,` $rhs $message (`values` `(` $values^ `)`)? attr-dict";
}

def Weft_KernelOp : Weft_Op<"kernel", [IsolatedFromAbove, SingleBlock, Symbol, RecursiveMemoryEffects]> {
  let summary = "Equations that become one compiled function";
  let description = [{
    C1. Arguments are tensors, then `index` values; results are tensors.
    C2. The body ends in `weft.return` with one value of the type of each result.

        weft.kernel @relu {class = "pointwise"} (%x: tensor<4xf32>) -> (tensor<4xf32>) { ... }
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Weft_ReturnOp : Weft_Op<"return", [NoMemoryEffect, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "The results of a kernel";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Weft_LaunchOp : Weft_Op<"launch", [NoMemoryEffect, AttrSizedOperandSegments,
                                       DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Run a kernel";
  let description = [{
    C1. The callee is a `weft.kernel` whose type is that of the operands and results.
    C2. `sizes` has one value per run-time size of the results, in the order of results and axes.

        %y = weft.launch @relu(%x) sizes(%n) : (tensor<?xf32>) -> tensor<?xf32>
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$inputs, Variadic<Index>:$sizes);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $callee `(` $inputs `)` (`sizes` `(` $sizes^ `)`)? attr-dict `:` functional-type($inputs, $results)
  }];
  let hasVerifier = 1;
}

// ---- Lists whose order or length the data decides

def Weft_SortOp : Weft_Op<"sort", [Pure]> {
  let summary = "The order of the elements along the last axis";
  let description = [{
    The position of the smallest element first, of the largest with `descending`; equal ones in the order of their
    positions; NaN is the largest.

    C1. Keys are numbers, not i1, along one axis at least.
    C2. The result is i64 and has the shape of the keys but for the last axis, which is at most as long.
    C3. `sizes` has one value per run-time size of the result.

        %first = weft.sort %keys descending : tensor<8x100xf32> -> tensor<8x5xi64>
  }];
  let arguments = (ins AnyRankedTensor:$keys, Variadic<Index>:$sizes, UnitAttr:$descending);
  let results = (outs AnyRankedTensor:$order);
  let assemblyFormat = [{
    $keys (`sizes` `(` $sizes^ `)`)? (`descending` $descending^)? attr-dict `:` type($keys) `->` type($order)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // The run-time size of an axis of a result; null where it is a number.
    ::mlir::Value getSizeOf(::mlir::Value result, int64_t axis);
  }];
}

def Weft_FilterOp : Weft_Op<"filter", [Pure]> {
  let summary = "The positions where a condition holds, and their number";
  let description = [{
    `positions` has room for all that may be kept: the first `count` elements are written, in order, the rest is not.
    Positions beyond its end are left out.

    C1. The mask is a vector of i1.
    C2. Positions are a vector of i64, the count is one i64.
    C3. `sizes` has the length of the positions where that is known at run time.

        %at, %count = weft.filter %mask sizes(%n) : tensor<?xi1> -> tensor<?xi64>, tensor<i64>
        %k = weft.found %count : tensor<i64>
        %kept = tensor.extract_slice %at[0] [%k] [1] : tensor<?xi64> to tensor<?xi64>
  }];
  let arguments = (ins AnyRankedTensor:$mask, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$positions, AnyRankedTensor:$count);
  let assemblyFormat = [{
    $mask (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($mask) `->` type($positions) `,` type($count)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // The run-time size of an axis of a result; null where it is a number.
    ::mlir::Value getSizeOf(::mlir::Value result, int64_t axis);
  }];
}

def Weft_ExternOp : Weft_Op<"extern", [Pure, AttrSizedOperandSegments]> {
  let summary = "A call of a function in C";
  let description = [{
    A function of its inputs, whose results are as large as `sizes` say. It is never computed when the program is created,
    and stands in no parallel loop.

    C1. Inputs and results are tensors; `elements` has the type of each in the words of a file, `names` those of results.
    C2. `ranged` says of every result whether its ints lie in a range; `bounds` has two values for each that does.
    C3. `sizes` has one value per run-time size of the results, in the order of results and axes.

        %match = weft.extern "hungarian"(%cost) sizes(%n) bounds(%lo, %m) {elements = ["f32", "int"], names = ["match"],
            ranged = array<i1: true>} : (tensor<?x?xf32>) -> tensor<?xi64>
  }];
  let arguments = (ins StrAttr:$callee, Variadic<AnyRankedTensor>:$inputs, Variadic<Index>:$sizes,
                       Variadic<Index>:$bounds, StrArrayAttr:$elements, StrArrayAttr:$names,
                       DenseBoolArrayAttr:$ranged);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $callee `(` $inputs `)` (`sizes` `(` $sizes^ `)`)? (`bounds` `(` $bounds^ `)`)? attr-dict `:`
    functional-type($inputs, $results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // The run-time size of an axis of a result; null where it is a number.
    ::mlir::Value getSizeOf(::mlir::Value result, int64_t axis);
  }];
}

def Weft_FoundOp : Weft_Op<"found", [Pure]> {
  let summary = "A size that the data decides, once it is computed";
  let description = [{
    What depends on it is known when the program is at this place, not before it runs: the memory of such tensors is
    reserved then. The attribute `weft.about` says about how large it will be, for decisions about layouts.
  }];
  let arguments = (ins 0DTensorOf<[I64]>:$count);
  let results = (outs Index:$size);
  let assemblyFormat = "$count attr-dict `:` type($count)";
}

#endif  // WEFT_COMPILER_IR_WEFT_OPS_TD_
