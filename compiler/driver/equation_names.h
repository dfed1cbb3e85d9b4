#ifndef WEFT_COMPILER_DRIVER_EQUATION_NAMES_H_
#define WEFT_COMPILER_DRIVER_EQUATION_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "dsl/program/program.h"
#include "dsl/sema/value.h"

namespace weft::driver {

// What the equations of programs are called (R38): by instance, `features.0.0.y`, and by declaration,
// `conv2d.y` or `Conv2d.forward.y`, which stands for all instances.
class EquationNames {
 public:
  // All that the program's text defines.
  void Add(const dsl::Program& program);

  // An equation that a kernel computes: `path` is one of the text, or a part that the compiler made of it
  // (`y.packed`); `name` is its own.
  void AddComputed(const std::string& name, const std::string& path);

  struct Match {
    // The instance paths, in order. Empty: nothing is called so.
    std::vector<std::string> paths;
    // How closely the name says which: 0 for the innermost declaration, more for those that call it, most for
    // an instance.
    int closeness = 0;
    // What the name may mean, where it is the end or the beginning of several; `paths` is empty then.
    std::vector<std::string> choices;
  };

  // What `name` stands for: an instance, else a declaration, else any unique end of an instance's path; of an
  // op, a model or a method with one equation, that. A declaration's first word means what it means in
  // `scope`; with no scope, or where that does not know it, every declaration of this name.
  Match Find(const std::string& name, const dsl::sema::Module* scope) const;

  // Whether `name` is an equation with one word more behind: what the compiler makes of one is called so.
  bool MayBePart(const std::string& name, const dsl::sema::Module* scope) const;

  // Everything that Find would know by these names.
  std::vector<std::string> All() const;

 private:
  struct Form {
    std::string name;  // "conv2d.y", "Conv2d.forward.y", "Conv2d.y"
    dsl::Span declared;
    int closeness;
  };
  struct Equation {
    std::vector<Form> forms;
    bool is_part = false;  // the text does not name it
  };

  void Add(const std::vector<dsl::Statement>& statements);
  Match FindEquation(const std::string& name, const dsl::Span& declared) const;
  std::vector<std::string> Below(const std::string& name, const dsl::Span& declared) const;

  std::map<std::string, Equation> equations_;  // by instance path
};

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_EQUATION_NAMES_H_
