#ifndef WEFT_COMPILER_IR_WEFT_DIALECT_TD_
#define WEFT_COMPILER_IR_WEFT_DIALECT_TD_

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Weft_Dialect : Dialect {
  let name = "weft";
  let cppNamespace = "::weft::ir";
  let summary = "Tensor equations in index space";
  let description = [{
    A tensor is defined by an equation: a scalar body computed at every point of a domain of indices. Bodies use `arith`,
    `math` and `scf.if`, read tensors at any index expression and hold reductions. Types are plain ranked tensors.
  }];
}

def Weft_ReduceKind : I32EnumAttr<"ReduceKind", "what a reduction computes", [
    I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"prod", 1>, I32EnumAttrCase<"max", 2>, I32EnumAttrCase<"min", 3>,
    I32EnumAttrCase<"any", 4>, I32EnumAttrCase<"all", 5>, I32EnumAttrCase<"argmax", 6>,
    I32EnumAttrCase<"argmin", 7>, I32EnumAttrCase<"first", 8>, I32EnumAttrCase<"last", 9>]> {
  let cppNamespace = "::weft::ir";
}

def Weft_Outside : I32EnumAttr<"Outside", "what a subscript means outside its axis", [
    I32EnumAttrCase<"inside", 0>, I32EnumAttrCase<"fill", 1>, I32EnumAttrCase<"clamp", 2>,
    I32EnumAttrCase<"mirror", 3>, I32EnumAttrCase<"wrap", 4>]> {
  let cppNamespace = "::weft::ir";
}

def Weft_CheckRelation : I32EnumAttr<"CheckRelation", "a relation of sizes", [
    I32EnumAttrCase<"equal", 0>, I32EnumAttrCase<"at_most", 1>, I32EnumAttrCase<"divisible", 2>]> {
  let cppNamespace = "::weft::ir";
}

class Weft_Op<string mnemonic, list<Trait> traits = []> : Op<Weft_Dialect, mnemonic, traits>;

#endif  // WEFT_COMPILER_IR_WEFT_DIALECT_TD_
