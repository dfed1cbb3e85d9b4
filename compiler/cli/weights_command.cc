#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "compiler/weights/checkpoint.h"
#include "runtime/atomic_file.h"
#include "runtime/input_file.h"
#include "runtime/safetensors.h"

namespace weft::cli {

namespace {

struct WeightsCommand {
  std::string input, output, prefix;
  bool json = false;
};

struct Row {
  std::string name, dtype;
  std::vector<int64_t> shape;
  uint64_t bytes;
};

absl::StatusOr<weights::Checkpoint> ReadCheckpoint(const runtime::InputFile& file) {
  runtime::Result<std::string> bytes = file.ReadAll();
  if (!bytes.ok()) return absl::InvalidArgumentError(bytes.status().message());
  return weights::ReadTorch(*bytes);
}

// What a weight file of either kind holds, sorted by name.
absl::StatusOr<std::vector<Row>> ReadRows(const runtime::InputFile& file) {
  std::vector<Row> rows;
  std::string start(std::min<int64_t>(file.size(), 64), '\0');
  if (runtime::Status status = file.Read(0, start.data(), start.size()); !status.ok())
    return absl::InvalidArgumentError(status.message());
  if (weights::LooksLikeTorch(start)) {
    absl::StatusOr<weights::Checkpoint> checkpoint = ReadCheckpoint(file);
    if (!checkpoint.ok()) return checkpoint.status();
    for (const auto& tensor : checkpoint->tensors)
      rows.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.data.size()});
  } else {
    auto tensors = runtime::ReadSafetensors(file);
    if (!tensors.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("neither safetensors (", tensors.status().message(), ") nor a PyTorch checkpoint"));
    for (const auto& tensor : *tensors)
      rows.push_back({tensor.name, tensor.dtype, tensor.shape, static_cast<uint64_t>(tensor.bytes)});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.name < b.name; });
  return rows;
}

int List(const WeightsCommand& command) {
  auto file = runtime::InputFile::Open(command.input);
  if (!file.ok()) return Fail(file.status().message());
  absl::StatusOr<std::vector<Row>> rows = ReadRows(*file);
  if (!rows.ok()) return Fail(absl::StrCat(command.input, ": ", rows.status().message()));
  if (command.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Row& row : *rows)
      list.push_back({{"name", row.name}, {"dtype", row.dtype}, {"shape", row.shape}, {"bytes", row.bytes}});
    std::cout << list.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return 0;
  }
  size_t width = 0;
  uint64_t total = 0;
  for (const Row& row : *rows) {
    width = std::max(width, row.name.size());
    total += row.bytes;
  }
  for (const Row& row : *rows)
    std::cout << absl::StrFormat("%-*s  %-4s [%s]\n", static_cast<int>(width), row.name, row.dtype,
                                 absl::StrJoin(row.shape, ", "));
  std::cout << absl::StrFormat("%d %s, %.1f MB\n", rows->size(), rows->size() == 1 ? "tensor" : "tensors",
                               static_cast<double>(total) / 1e6);
  return 0;
}

// Keeps the tensors below the prefix, without it.
std::vector<weights::NamedTensor> Below(std::vector<weights::NamedTensor> tensors,
                                        const std::string& prefix) {
  if (prefix.empty()) return tensors;
  std::vector<weights::NamedTensor> kept;
  for (weights::NamedTensor& tensor : tensors) {
    if (!absl::StartsWith(tensor.name, prefix + ".")) continue;
    tensor.name.erase(0, prefix.size() + 1);
    kept.push_back(std::move(tensor));
  }
  return kept;
}

int Convert(const WeightsCommand& command) {
  auto file = runtime::InputFile::Open(command.input);
  if (!file.ok()) return Fail(file.status().message());
  absl::StatusOr<weights::Checkpoint> checkpoint = ReadCheckpoint(*file);
  if (!checkpoint.ok()) return Fail(absl::StrCat(command.input, ": ", checkpoint.status().message()));
  std::vector<weights::NamedTensor> tensors = Below(std::move(checkpoint->tensors), command.prefix);
  if (tensors.empty())
    return Fail(absl::StrCat(command.input, ": there is no tensor in it",
                             command.prefix.empty() ? "" : absl::StrCat(" below `", command.prefix, "`")));
  size_t count = tensors.size();
  absl::StatusOr<std::string> bytes = weights::WriteSafetensors(std::move(tensors));
  if (!bytes.ok()) return Fail(absl::StrCat(command.input, ": ", bytes.status().message()));
  runtime::Status written = runtime::WriteFileAtomically(command.output, *bytes);
  if (!written.ok()) return Fail(written.message());
  std::vector<std::string>& others = checkpoint->left_out;
  if (!others.empty()) {
    size_t more = others.size() > 8 ? others.size() - 8 : 0;
    others.resize(others.size() - more);
    std::cerr << "note: left out, being no tensors: " << absl::StrJoin(others, ", ")
              << (more ? absl::StrCat(" and ", more, " more") : "") << "\n";
  }
  std::cout << command.output << ": " << count << (count == 1 ? " tensor\n" : " tensors\n");
  return 0;
}

}  // namespace

void AddWeightsCommand(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand(
      "weights", "Look into weight files and convert them.\nExample: weft weights list model.safetensors");
  command->require_subcommand(1);
  auto options = std::make_shared<WeightsCommand>();
  CLI::App* list = command->add_subcommand("list",
                                           "Print the tensors of a safetensors file or a PyTorch "
                                           "checkpoint.\nExample: weft weights list model.pth");
  list->add_option("W", options->input, "the weight file")->required();
  list->add_flag("--json", options->json, "print a list of name, dtype, shape, bytes");
  list->callback([&run, options] { run = [options] { return List(*options); }; });
  CLI::App* convert = command->add_subcommand(
      "convert",
      "Write the tensors of a PyTorch checkpoint as safetensors; nothing in the checkpoint is executed.\n"
      "Example: weft weights convert model.pth -o model.safetensors");
  convert->add_option("IN", options->input, "what torch.save wrote")->required();
  convert->add_option("-o,--output", options->output, "the file to write")->required();
  convert->add_option("--prefix", options->prefix,
                      "only the tensors below this name, without it: --prefix state_dict");
  convert->callback([&run, options] { run = [options] { return Convert(*options); }; });
}

}  // namespace weft::cli
