#ifndef WEFT_DSL_SEMA_LOOP_H_
#define WEFT_DSL_SEMA_LOOP_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// A loop while it is worked out: the form with one equation and the one with a block are the same.
struct Elaborator::Loop {
  ast::Binder binder;  // of its index
  IndexPtr index;
  Size length;              // all positions that the index can have
  bool is_unknown = false;  // something that the index subscripts could not be made out
  struct Step {
    const ast::Equation* equation;  // null: a `let`
    const ast::Let* let;
    ast::Equation own;  // of the equation: heads without the loop's index
  };
  std::vector<Step> steps;
  ast::Equation single;  // what `steps` points at for the form without a block
  struct State {
    const ast::Head* head;
    const ast::Expr* value;           // the right side, where it is the only head
    Value history;                    // a tensor, or a record of them
    Value example;                    // a value of it that a step has computed, where it is a record
    const ast::From* open = nullptr;  // gives a number, whose type the loop decides
    std::optional<ElementType> guess;
    std::optional<std::pair<Size, Size>> range;  // of an int, as it is assumed to be
    std::vector<Value> before, after;
    Span given_at;
  };
  std::map<std::string, State> states;
  std::vector<std::string> names;  // of states, in the order of the text
  std::string label;               // the first tensor or state that it gives
  Recurrence node;
  CarriedStates carried;
  // `T <= most` and `until`: the index goes below `length`, and T is found.
  const ast::Expr* until = nullptr;
  ast::Name found_name;
  std::optional<Size> found;
};

// Of a state: its own, or those of a record's fields.
std::vector<std::shared_ptr<History>> HistoriesOf(const Value& value);

}  // namespace weft::dsl::sema

#endif  // WEFT_DSL_SEMA_LOOP_H_
