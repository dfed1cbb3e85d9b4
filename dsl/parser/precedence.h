#ifndef WEFT_DSL_PARSER_PRECEDENCE_H_
#define WEFT_DSL_PARSER_PRECEDENCE_H_

#include <optional>

#include "dsl/ast/expr.h"
#include "dsl/lexer/token.h"

namespace weft::dsl {

// How tightly operators bind. The grammar's eN is an expression of operators of power N or more.
enum Power : int {
  kOrPower = 20,  // also the body of any, all, count and filter
  kAndPower = 25,
  kNotPower = 30,
  kComparisonPower = 40,
  kRangePower = 45,
  kSumPower = 50,
  kProductPower = 60,  // also the body of a value reduction
  kFactorPower = 61,
  kNegPower = 70,
  kPowPower = 80,
};

struct InfixOperator {
  int power;
  ast::BinaryOp op;
};

// The infix operator that a token is; `..` and `if`, `else` are not among them.
std::optional<InfixOperator> FindInfix(TokenKind kind);
int PowerOf(ast::BinaryOp op);

}  // namespace weft::dsl

#endif  // WEFT_DSL_PARSER_PRECEDENCE_H_
