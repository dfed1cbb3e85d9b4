#include "runtime/nearest_name.h"

#include <algorithm>
#include <numeric>

namespace weft::runtime {
namespace {

// Edits between `a` and `b`, or `limit + 1` if there are more.
size_t Distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  std::vector<size_t> row(a.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t j = 0; j < b.size(); ++j) {
    size_t diagonal = row[0], best = row[0] = j + 1;
    for (size_t i = 0; i < a.size(); ++i) {
      size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[i + 1];
      row[i + 1] = std::min({replaced, row[i] + 1, row[i + 1] + 1});
      best = std::min(best, row[i + 1]);
    }
    if (best > limit) return limit + 1;
  }
  return row.back();
}

}  // namespace

std::string NearestName(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > 300) return "";
  size_t limit = std::max<size_t>(1, name.size() / 3);
  std::string nearest;
  for (const std::string& candidate : known) {
    size_t distance = Distance(name, candidate, limit);
    if (distance > limit) continue;
    nearest = candidate;
    if (distance == 0) break;
    limit = distance - 1;
  }
  return nearest;
}

std::string Suggestion(std::string_view name, const std::vector<std::string>& known) {
  std::string nearest = NearestName(name, known);
  return nearest.empty() ? "" : "; did you mean `" + nearest + "`?";
}

}  // namespace weft::runtime
