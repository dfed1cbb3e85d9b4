#ifndef WEFT_DSL_SEMA_SEMA_H_
#define WEFT_DSL_SEMA_SEMA_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"

namespace weft::dsl {

namespace sema {
struct Module;
}

// Checks every declaration of a module on its own, with symbols for its dimensions and attributes: what is
// wrong for all of them is reported, what only an instance can tell is left open. What could be worked out of
// each op and method is a method of the result: a program to look at, not to compile.
Program CheckModule(const sema::Module& module, const SourceManager& sources, Diagnostics& diagnostics);

// The entries of a module, in the order of the text.
std::vector<const ast::Model*> Entries(const sema::Module& module);
std::vector<const ast::Test*> Tests(const sema::Module& module);

// The program of an entry, its dimensions bound as `fixed` says (name -> number). Nothing if something was
// reported.
std::optional<Program> Elaborate(const sema::Module& module, const ast::Model& entry,
                                 const std::map<std::string, int64_t>& fixed, const SourceManager& sources,
                                 Diagnostics& diagnostics);

// One `expect` of a test. The program's only method has the values as outputs, and an input for every
// `random`: numbers in -1..1 that whoever runs the test makes up.
struct Expectation {
  enum class Kind {
    kHolds,  // output `left` (bool) is true everywhere
    kClose,  // outputs `left` and `right` differ by at most `tolerance` everywhere; NaN equals NaN
  } kind;
  int left, right = -1;  // into Method::outputs
  double tolerance = 0;
  Span span;
};
struct TestProgram {
  Program program;
  std::vector<Expectation> expectations;
};
std::optional<TestProgram> ElaborateTest(const sema::Module& module, const ast::Test& test,
                                         const SourceManager& sources, Diagnostics& diagnostics);

}  // namespace weft::dsl

#endif  // WEFT_DSL_SEMA_SEMA_H_
