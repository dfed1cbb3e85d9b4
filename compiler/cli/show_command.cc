#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "compiler/driver/compile.h"

namespace weft::cli {

namespace {

struct ShowCommand {
  std::string file, entry;
  bool json = false;
};

using Json = nlohmann::ordered_json;

const char* TypeName(dsl::ElementType type) {
  static const char* const names[] = {"bool", "int", "i8", "u8", "i32", "i64", "f16", "bf16", "f32", "f64"};
  return names[static_cast<int>(type)];
}

Json Ports(const std::vector<dsl::Port>& ports) {
  Json list = Json::array();
  for (const dsl::Port& port : ports) {
    Json shape = Json::array();
    for (const dsl::Size& size : port.shape) shape.push_back(size.ToString());
    list.push_back({{"name", port.name}, {"type", TypeName(port.element)}, {"shape", shape}});
  }
  return list;
}

using Sizes = std::map<std::string, int64_t>;

Sizes SmallestSizes(const dsl::Program& program) {
  Sizes sizes;
  for (const dsl::Dimension& dimension : program.dimensions) sizes[dimension.name] = dimension.lo;
  return sizes;
}

// Those that stand in the shapes of a method's inputs.
Json SizesOf(const dsl::Method& method, const Sizes& sizes) {
  Json used = Json::object();
  for (const auto& [name, size] : sizes) {
    std::regex word(absl::StrCat("\\b", name, "\\b"));
    for (const dsl::Port& port : method.inputs) {
      for (const dsl::Size& extent : port.shape)
        if (std::regex_search(extent.ToString(), word)) used[name] = size;
    }
  }
  return used;
}

Json Variants(const driver::Work& work, const std::string& method) {
  Json list = Json::array();
  auto variants = work.variants.find(method);
  if (variants == work.variants.end()) return list;
  for (const auto& variant : variants->second)
    list.push_back({{"sizes", variant.sizes}, {"flops", variant.flops}});
  return list;
}

// `whole`: what the program is; `work`: what there is to do at the sizes `smallest`.
Json Summary(const dsl::Program& program, const driver::Work& whole, const driver::Work& work,
             const Sizes& smallest) {
  Json weights = Json::array();
  int64_t parameters = 0;
  for (const dsl::Weight& weight : program.weights) {
    int64_t count = 1;
    for (int64_t extent : weight.shape) count *= extent;
    if (!weight.is_state) parameters += count;
    weights.push_back({{"path", weight.path},
                       {"type", TypeName(weight.element)},
                       {"shape", weight.shape},
                       {"state", weight.is_state}});
  }
  Json methods = Json::object();
  for (const dsl::Method& method : program.methods) {
    methods[method.name] = {{"inputs", Ports(method.inputs)}, {"outputs", Ports(method.outputs)}};
    if (auto flops = work.flops.find(method.name); flops != work.flops.end()) {
      methods[method.name]["flops"] = flops->second;
      methods[method.name]["flops_at"] = SizesOf(method, smallest);
    }
    methods[method.name]["variants"] = Variants(whole, method.name);
  }
  return {{"entry", program.entry},
          {"parameters", parameters},
          {"kernels", whole.kernels},
          {"methods", methods},
          {"weights", weights}};
}

std::string PortText(const Json& port) {
  std::vector<std::string> sizes;
  for (const Json& size : port["shape"]) sizes.push_back(size.get<std::string>());
  std::string type = port["type"].get<std::string>();
  return absl::StrCat(port["name"].get<std::string>(), ": ", type,
                      sizes.empty() ? "" : absl::StrCat("[", absl::StrJoin(sizes, ", "), "]"));
}

std::string PortsText(const Json& ports) {
  std::vector<std::string> texts;
  for (const Json& port : ports) texts.push_back(PortText(port));
  return absl::StrJoin(texts, ", ");
}

std::string AtText(const Json& sizes) {
  std::vector<std::string> texts;
  for (const auto& [name, size] : sizes.items())
    texts.push_back(absl::StrCat(name, " = ", size.get<int64_t>()));
  return texts.empty() ? "" : absl::StrCat(" at ", absl::StrJoin(texts, ", "));
}

void Print(const Json& summary) {
  std::cout << absl::StrFormat("entry %s: %d parameters, %d kernels\n", summary["entry"].get<std::string>(),
                               summary["parameters"].get<int64_t>(), summary["kernels"].get<int64_t>());
  for (const auto& [name, method] : summary["methods"].items()) {
    std::cout << "  " << name << "(" << PortsText(method["inputs"]) << ") -> "
              << PortsText(method["outputs"]);
    if (method.contains("flops"))
      std::cout << absl::StrFormat(", %.3g GFLOP", method["flops"].get<double>() * 1e-9)
                << AtText(method["flops_at"]);
    std::cout << "\n";
    for (const Json& variant : method["variants"])
      std::cout << absl::StrFormat("    code of its own for %s, %.3g GFLOP\n",
                                   variant["sizes"].get<std::string>(),
                                   variant["flops"].get<double>() * 1e-9);
  }
  size_t width = 0;
  for (const Json& weight : summary["weights"])
    width = std::max(width, weight["path"].get<std::string>().size());
  for (const Json& weight : summary["weights"]) {
    std::cout << absl::StrFormat("  %-*s  %s%s%s\n", static_cast<int>(width),
                                 weight["path"].get<std::string>(), weight["type"].get<std::string>(),
                                 weight["shape"].dump(), weight["state"].get<bool>() ? "  state" : "");
  }
}

int Show(const ShowCommand& command) {
  driver::SourceProgram source;
  if (!LoadOrReport(source, command.file)) return 1;
  std::vector<std::string> names{command.entry};
  if (command.entry.empty() && !source.diagnostics().has_errors() &&
      !dsl::Entries(*source.module()).empty()) {
    names.clear();
    for (const auto* entry : dsl::Entries(*source.module())) names.push_back(entry->name.text);
  }
  Json all = Json::array();
  for (const std::string& name : names) {
    std::optional<dsl::Program> program = source.Elaborate(name, {});
    if (!program) {
      PrintDiagnostics(source);
      return 1;
    }
    absl::StatusOr<driver::Work> work = driver::MeasureWork(*program, source.sources());
    if (!work.ok()) return Fail(work.status().message());
    // Sizes that only some values of a dimension fit: the smallest may be none of them.
    Sizes smallest = SmallestSizes(*program);
    driver::SourceProgram again;
    std::optional<dsl::Program> small;
    if (!smallest.empty() && again.Load(command.file)) small = again.Elaborate(name, smallest);
    absl::StatusOr<driver::Work> least = small ? driver::MeasureWork(*small, again.sources()) : work;
    if (!least.ok()) return Fail(least.status().message());
    all.push_back(Summary(*program, *work, *least, small ? smallest : Sizes()));
  }
  if (command.json) {
    std::cout << all.dump(1) << "\n";
    return 0;
  }
  for (const Json& summary : all) Print(summary);
  return 0;
}

}  // namespace

void AddShowCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<ShowCommand>();
  CLI::App* command = app.add_subcommand(
      "show", "Print what the entries of a model file take, give and weigh.\nExample: weft show model.weft");
  command->add_option("FILE", options->file, "the model file")->required();
  command->add_option("--entry", options->entry, "only this entry");
  command->add_flag("--json", options->json, "print it as JSON");
  command->callback([&run, options] { run = [options] { return Show(*options); }; });
}

}  // namespace weft::cli
