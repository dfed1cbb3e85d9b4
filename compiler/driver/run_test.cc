#include "compiler/driver/run_test.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/execute/loaded_program.h"
#include "compiler/driver/externs.h"
#include "dsl/base/diagnostic_printer.h"
#include "runtime/element_type.h"
#include "runtime/program.h"

namespace weft::driver {

namespace {

using dsl::Expectation;

// The element of an expectation that is furthest from what it should be.
struct Worst {
  int64_t wrong = 0;  // elements
  int64_t element = 0;
  double distance = -1;
};

double Element(const weft_tensor& tensor, int64_t element) {
  const char* at = static_cast<const char*>(tensor.data) + element * runtime::ByteSize(tensor.type);
  if (tensor.type == WEFT_BOOL) return *at != 0;
  if (runtime::IsFloat(tensor.type)) return runtime::LoadFloat(at, tensor.type);
  return static_cast<double>(runtime::LoadInteger(at, tensor.type));
}

// NaN equals NaN, an infinity itself. Integers are exact beyond what a double holds.
double Distance(const weft_tensor& left, const weft_tensor& right, int64_t element) {
  if (runtime::IsInteger(left.type) && runtime::IsInteger(right.type)) {
    auto at = [&](const weft_tensor& tensor) {
      return runtime::LoadInteger(
          static_cast<const char*>(tensor.data) + element * runtime::ByteSize(tensor.type), tensor.type);
    };
    int64_t a = at(left), b = at(right);
    if (a == b) return 0;
    return std::max(1.0, std::abs(static_cast<double>(a) - static_cast<double>(b)));
  }
  double a = Element(left, element), b = Element(right, element);
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  double distance = std::abs(a - b);
  return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

Worst Compare(const Expectation& expectation, const std::vector<weft_tensor>& outputs) {
  const weft_tensor& left = outputs[expectation.left];
  Worst worst;
  for (int64_t i = 0; i < runtime::ElementCount(left.shape, left.rank); ++i) {
    double distance = expectation.kind == Expectation::Kind::kHolds
                          ? (Element(left, i) != 0 ? 0 : 1)
                          : Distance(left, outputs[expectation.right], i);
    if (distance <= expectation.tolerance) continue;
    ++worst.wrong;
    if (distance > worst.distance) worst.element = i, worst.distance = distance;
  }
  return worst;
}

std::string Number(const weft_tensor& tensor, int64_t element) {
  if (tensor.type == WEFT_BOOL) return Element(tensor, element) != 0 ? "true" : "false";
  double value = Element(tensor, element);
  return tensor.type == WEFT_F64 ? absl::StrFormat("%.17g", value) : absl::StrFormat("%.9g", value);
}

// "[1, 0, 3]", nothing for a scalar.
std::string Place(const weft_tensor& tensor, int64_t element) {
  std::string place;
  for (int32_t axis = tensor.rank - 1; axis >= 0; --axis) {
    place = absl::StrCat(element % tensor.shape[axis], place.empty() ? "" : ", ", place);
    element /= tensor.shape[axis];
  }
  return place.empty() ? "" : absl::StrCat("at [", place, "]: ");
}

std::string Report(const Expectation& expectation, const Worst& worst,
                   const std::vector<weft_tensor>& outputs, const dsl::SourceManager& sources) {
  const weft_tensor& left = outputs[expectation.left];
  const dsl::SourceFile& file = sources.file(expectation.span.file);
  int line = file.Locate(expectation.span.begin).line;
  std::string report = absl::StrFormat("%s: expectation failed\n%5d | %s\n        ",
                                       sources.Place(expectation.span), line, std::string(file.Line(line)));
  absl::StrAppend(&report, Place(left, worst.element));
  if (expectation.kind == Expectation::Kind::kHolds) {
    absl::StrAppend(&report, "false");
  } else {
    absl::StrAppend(&report, "got ", Number(left, worst.element), ", wanted ",
                    Number(outputs[expectation.right], worst.element), ", off by ",
                    absl::StrFormat("%.3g", worst.distance), ", allowed ",
                    absl::StrFormat("%g", expectation.tolerance));
  }
  int64_t count = runtime::ElementCount(left.shape, left.rank);
  if (count > 1) absl::StrAppend(&report, "; ", worst.wrong, " of ", count, " elements are wrong");
  return report + "\n";
}

// Uniform in -1..1.
std::vector<float> RandomNumbers(const dsl::Port& port, std::mt19937_64& generator) {
  int64_t count = 1;
  for (const dsl::Size& size : port.shape) count *= size.AsInteger().value_or(0);
  // At least one, so that there is an address even where nothing is read.
  std::vector<float> numbers(std::max<int64_t>(count, 1));
  for (float& number : numbers) {
    number = static_cast<float>(static_cast<double>(generator() >> 11) * 0x1p-52 - 1.0);
  }
  return numbers;
}

}  // namespace

std::string RunTest(const dsl::TestProgram& test, const dsl::SourceManager& sources,
                    dsl::Diagnostics& diagnostics, const TestOptions& options) {
  auto failed = [](const auto& status) {
    return absl::StrCat("the test did not run: ", std::string(status.message()), "\n");
  };
  if (test.expectations.empty()) return "the test expects nothing\n";
  CompileOptions compile;
  compile.backend = options.backend;
  compile.schedules = options.schedules;
  if (absl::Status status = CheckExterns(test.program, options.linked, diagnostics); !status.ok())
    return failed(status);
  if (diagnostics.has_errors()) return dsl::PrintDiagnostics(sources, diagnostics);
  auto objects = CompileToObjects(test.program, sources, compile, diagnostics);
  if (diagnostics.has_errors()) return dsl::PrintDiagnostics(sources, diagnostics);
  if (!objects.ok()) return failed(objects.status());
  auto loaded = backends::LoadedProgram::Load(*objects, options.linked);
  if (!loaded.ok()) return failed(loaded.status());
  weft_options program_options = {};
  program_options.abi_version = WEFT_ABI_VERSION;
  program_options.init_weights = 1;
  program_options.seed = options.seed;
  auto program = runtime::Program::Create(loaded->table(), program_options);
  if (!program.ok()) return failed(program.status());

  const dsl::Method& method = test.program.methods[0];
  std::mt19937_64 generator(options.seed);
  std::vector<std::vector<float>> numbers;
  std::vector<weft_tensor> inputs, outputs(method.outputs.size());
  for (const dsl::Port& port : method.inputs) {
    numbers.push_back(RandomNumbers(port, generator));
    weft_tensor input = {};
    input.data = numbers.back().data();
    input.type = WEFT_F32;
    for (const dsl::Size& size : port.shape) input.shape[input.rank++] = size.AsInteger().value_or(0);
    inputs.push_back(input);
  }
  runtime::Status status = (*program)->Run((*program)->table().methods[0], inputs.data(), inputs.size(),
                                           outputs.data(), outputs.size());
  if (!status.ok()) return failed(status);

  std::string report;
  for (const Expectation& expectation : test.expectations) {
    Worst worst = Compare(expectation, outputs);
    if (worst.wrong > 0) absl::StrAppend(&report, Report(expectation, worst, outputs, sources));
  }
  return report;
}

}  // namespace weft::driver
