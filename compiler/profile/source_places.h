#ifndef WEFT_COMPILER_PROFILE_SOURCE_PLACES_H_
#define WEFT_COMPILER_PROFILE_SOURCE_PLACES_H_

#include <map>
#include <string>
#include <vector>

#include "dsl/base/source_file.h"
#include "dsl/program/program.h"

namespace weft::profile {

// Where the equations of a program are written.
class SourcePlaces {
 public:
  SourcePlaces(const dsl::Program& program, const dsl::SourceManager& sources);

  // FILE:LINE of the equation of this path, or of the one that it is a part of (`y.packed`); empty if there
  // is none.
  std::string Find(std::string path) const;

 private:
  void Add(const std::vector<dsl::Statement>& statements, const dsl::SourceManager& sources);

  std::map<std::string, std::string> places_;
};

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_SOURCE_PLACES_H_
