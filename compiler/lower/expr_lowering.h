#ifndef WEFT_COMPILER_LOWER_EXPR_LOWERING_H_
#define WEFT_COMPILER_LOWER_EXPR_LOWERING_H_

#include <functional>
#include <map>
#include <vector>

#include "compiler/lower/size_lowering.h"
#include "dsl/program/program.h"
#include "mlir/IR/Builders.h"

namespace weft::lower {

// What names mean where an expression stands. Indices are added on the way in.
struct Scope {
  std::map<dsl::TensorId, mlir::Value> tensors;
  std::map<dsl::IndexId, mlir::Value> indices;
  // Nodes already lowered, a layer per region around this place: a shared node is computed once.
  std::vector<std::map<const dsl::Expr*, mlir::Value>> lowered{1};
};

// Translates scalar expressions into the body of an equation. Both branches of a choice are computed where
// neither reads a tensor; otherwise only the one that is taken (`scf.if`), because a read may be inside its
// axis only under the condition.
class ExprLowering {
 public:
  using LocationOf = std::function<mlir::Location(const dsl::Span&)>;

  // `location_of_read`: of the span of a read, with the name that its operand has there.
  ExprLowering(SizeLowering& sizes, LocationOf location_of, LocationOf location_of_read)
      : sizes_(sizes), location_of_(std::move(location_of)), location_of_read_(std::move(location_of_read)) {}

  // The value of `expr` at the builder's place; of ScalarType(expr.type).
  mlir::Value Lower(mlir::OpBuilder& builder, const dsl::Expr& expr, Scope& scope);

 private:
  mlir::Value LowerNode(mlir::OpBuilder& builder, const dsl::Expr& expr, Scope& scope);
  mlir::Value LowerInside(mlir::OpBuilder& builder, const dsl::Expr& expr, Scope& scope);
  mlir::Value LowerLiteral(mlir::OpBuilder& builder, const dsl::Expr& expr, const dsl::Literal& literal);
  mlir::Value LowerRead(mlir::OpBuilder& builder, const dsl::Expr& expr, const dsl::Read& read, Scope& scope);
  mlir::Value LowerReduce(mlir::OpBuilder& builder, const dsl::Expr& expr, const dsl::Reduce& reduce,
                          Scope& scope);
  mlir::Value LowerApply(mlir::OpBuilder& builder, const dsl::Expr& expr, const dsl::Apply& apply,
                         Scope& scope);
  mlir::Value LowerSwitch(mlir::OpBuilder& builder, mlir::Location loc, const dsl::Apply& apply,
                          Scope& scope);
  mlir::Value LowerPower(mlir::OpBuilder& builder, mlir::Location loc, const dsl::Apply& apply, Scope& scope);

  // `then` where the condition holds, else `otherwise`.
  using Branch = std::function<mlir::Value(mlir::OpBuilder&)>;
  mlir::Value Choose(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value condition, bool lazy,
                     const Branch& then, const Branch& otherwise);

  SizeLowering& sizes_;
  LocationOf location_of_, location_of_read_;
};

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_EXPR_LOWERING_H_
