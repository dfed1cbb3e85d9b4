#include "runtime/main/arguments.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>

#include "runtime/nearest_name.h"

namespace weft::runtime {
namespace {

using Pair = std::pair<std::string, std::string>;

template <typename Number>
bool ParseNumber(const std::string& text, Number* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// "NAME=VALUE"
Status Split(const std::string& option, const std::string& value, std::vector<Pair>& pairs) {
  size_t equal = value.find('=');
  if (equal == std::string::npos || equal == 0 || equal + 1 == value.size())
    return InvalidArgument(option + " takes NAME=" + (option == "--input" ? "FILE or NAME=NUMBER" : "FILE") +
                           ", not `" + value + "`");
  std::string name = value.substr(0, equal);
  for (const Pair& pair : pairs)
    if (pair.first == name) return InvalidArgument(option + " is given twice for `" + name + "`");
  pairs.emplace_back(name, value.substr(equal + 1));
  return {};
}

// "[PREFIX=]FILE"; a file may have a `=` in its path.
Pair SplitWeights(const std::string& value) {
  size_t equal = value.find('=');
  if (equal == std::string::npos || access(value.c_str(), F_OK) == 0) return {"", value};
  return {value.substr(0, equal), value.substr(equal + 1)};
}

// What may be written, and where it goes.
class CommandLine {
 public:
  CommandLine() {
    app_.allow_extras();  // for errors that know the nearest option
    app_.set_help_flag();
    app_.add_option("METHOD", method_, "what to run; `forward` if left out");
    AddList("--weights", weights_, "[PREFIX=]FILE",
            "safetensors file; with PREFIX its tensor T is PREFIX.T; may be repeated");
    AddList("--input", inputs_, "NAME=FILE",
            ".npy, .png or .jpg file, or a number for a tensor without axes");
    AddList("--output", outputs_, "NAME=FILE",
            "write this output as .npy; without any, all outputs are printed");
    AddValue("--state", arguments_.state, "FILE",
             "begin with the state in this safetensors file if it exists, and write the state after the run "
             "to it");
    AddValue("--threads", threads_, "N", "threads to use (default: all processors)");
    AddFlag("--describe", arguments_.describe, "print methods, inputs and outputs");
    AddFlag("--bench", arguments_.bench, "measure; inputs that are not given are random");
    AddFlag("--json", arguments_.json, "with --describe or --bench: print JSON");
    AddValue("--profile", arguments_.profile, "FILE", "time every kernel: a trace for Perfetto, and a table");
    AddFlag("--strict", arguments_.strict, "tensors in weight files that nothing uses are an error");
    AddValue("--init", seed_, "SEED", "make up weights that no file gives, from a seed; for tests");
    AddFlag("-h,--help", arguments_.help, "print this text");
    AddValue("--write-packed-weights", arguments_.packed_weights, "FILE", "")->group("");  // not shown
  }

  Result<Arguments> Parse(const std::vector<std::string>& words) {
    try {
      app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::ParseError& error) {
      return InvalidArgument(error.what());
    }
    for (const std::string& word : app_.remaining())
      if (word.size() > 1 && word[0] == '-') return UnknownOption(word.substr(0, word.find('=')));
    if (!app_.remaining().empty())
      return InvalidArgument("unexpected argument `" + app_.remaining()[0] + "`: the method is `" + method_ +
                             "` already");
    arguments_.method = method_;
    if (Status status = Convert(); !status.ok()) return status;
    return arguments_;
  }

  std::string Help(const std::string& program, const std::string& example) {
    app_.name(program);
    app_.footer("Example: " + example);
    return app_.help();
  }

 private:
  CLI::Option* AddValue(const char* name, std::string& value, const char* type, const char* help) {
    return app_.add_option(name, value, help)->type_name(type);
  }
  void AddList(const char* name, std::vector<std::string>& values, const char* type, const char* help) {
    app_.add_option(name, values, help)->type_name(type)->allow_extra_args(false);
  }
  void AddFlag(const char* name, bool& flag, const char* help) {
    app_.add_flag(name, flag, help)->disable_flag_override();
  }

  Status UnknownOption(const std::string& name) const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options())
      if (!option->get_lnames().empty() && !option->get_group().empty())
        names.push_back("--" + option->get_lnames()[0]);
    return InvalidArgument("unknown option `" + name + "`" + Suggestion(name, names));
  }

  Status Convert() {
    for (const std::string& value : inputs_)
      if (Status status = Split("--input", value, arguments_.inputs); !status.ok()) return status;
    for (const std::string& value : outputs_)
      if (Status status = Split("--output", value, arguments_.outputs); !status.ok()) return status;
    for (const std::string& value : weights_) arguments_.weights.push_back(SplitWeights(value));
    arguments_.init = app_.count("--init") > 0;
    if (arguments_.init && !ParseNumber(seed_, &arguments_.seed))
      return InvalidArgument("--init takes a whole number, not `" + seed_ + "`");
    if (app_.count("--threads") == 0) return {};
    if (!ParseNumber(threads_, &arguments_.threads) || arguments_.threads < 1 || arguments_.threads > 1024)
      return InvalidArgument("--threads takes a number in 1..1024, not `" + threads_ + "`");
    return {};
  }

  CLI::App app_;
  Arguments arguments_;
  std::string method_, threads_, seed_;
  std::vector<std::string> weights_, inputs_, outputs_;
};

}  // namespace

Result<Arguments> ParseArguments(const std::vector<std::string>& words) { return CommandLine().Parse(words); }

std::string HelpText(const std::string& program, bool needs_weights, const std::vector<std::string>& inputs) {
  std::string example = program + (needs_weights ? " --weights model.safetensors" : "");
  for (const std::string& input : inputs) example += " --input " + input + "=" + input + ".npy";
  return CommandLine().Help(program, example);
}

}  // namespace weft::runtime
