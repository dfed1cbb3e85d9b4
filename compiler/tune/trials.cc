#include "compiler/tune/trials.h"

#include "absl/strings/str_cat.h"
#include "compiler/tune/child.h"

namespace weft::tune {
namespace {

constexpr double kClear = 1.03;  // what the lower quartile of a winner's ratios reaches

}  // namespace

absl::Status Trials::Compile(const std::vector<std::string>& schedules) {
  std::vector<std::string> missing;
  for (const std::string& schedule : schedules)
    if (!objects_.contains(schedule)) missing.push_back(schedule);
  for (size_t i = 0; i < missing.size(); ++i) {
    driver::KernelRequest request{{kernel_, missing[i]}, kKernelSymbol, /*has_own_schedule=*/true, ""};
    if (absl::Status status = compiler_.Start(i, ToBytes(request)); !status.ok()) return status;
  }
  for (size_t i = 0; i < missing.size(); ++i) {
    absl::StatusOr<driver::ChildEnd> end = compiler_.Wait();
    if (!end.ok()) return end.status();
    Object& object = objects_[missing[end->task]];
    if (!end->cause.empty()) {
      object.problem = absl::StrCat("its compilation ", end->cause);
      continue;
    }
    driver::KernelResult result = driver::ResultOf(end->answer);
    if (!result.status.ok()) object.problem = std::string(result.status.message());
    object.code = std::move(result.code);
  }
  return absl::OkStatus();
}

void Trials::FindReference() {
  if (!reference_.empty() || !no_reference_.empty()) return;
  driver::KernelRequest request{{kernel_, ""}, kKernelSymbol, false, "the reference"};
  driver::ChildEnd end = Ask(compiler_, ToBytes(request));
  driver::KernelResult result;
  if (end.cause.empty()) result = driver::ResultOf(end.answer);
  if (end.cause.empty() && result.status.ok()) {
    end = Ask(runner_, ReferenceRequest(task_, result.code));
    reference_ = ReferenceResults(end.answer);
  }
  if (reference_.empty())
    no_reference_ = absl::StrCat("there is nothing to compare with: the reference ",
                                 end.cause.empty() ? "has no results" : end.cause);
}

Rounds Trials::Measure(const std::string& incumbent, const std::string& challenger) {
  driver::ChildEnd end =
      Ask(runner_, MeasureRequest(task_, reference_, objects_[incumbent].code, objects_[challenger].code));
  return end.cause.empty() ? RoundsFrom(end.answer) : Rounds{absl::StrCat("its run ", end.cause)};
}

absl::StatusOr<Trial> Trials::Run(const std::string& incumbent, const std::string& challenger) {
  if (absl::Status status = Compile({incumbent, challenger}); !status.ok()) return status;
  FindReference();
  Trial trial;
  trial.problem = no_reference_;
  for (const std::string* schedule : {&incumbent, &challenger})
    if (trial.problem.empty()) trial.problem = objects_[*schedule].problem;
  if (!trial.problem.empty()) return trial;
  trial.first = Measure(incumbent, challenger);
  trial.problem = trial.first.problem;
  if (!trial.problem.empty() || trial.first.lower_quartile < kClear) return trial;
  trial.second = Measure(incumbent, challenger);
  trial.problem = trial.second.problem;
  trial.is_faster = trial.problem.empty() && trial.second.lower_quartile >= kClear;
  return trial;
}

}  // namespace weft::tune
