#include "runtime/main/arguments.h"

#include <unistd.h>

#include <charconv>

#include "runtime/nearest_name.h"

namespace weft::runtime {
namespace {

using Pair = std::pair<std::string, std::string>;

const std::vector<std::string>& OptionNames() {
  static const std::vector<std::string> names = {"--weights",  "--input",  "--output", "--threads",
                                                 "--describe", "--bench",  "--json",   "--profile",
                                                 "--help",     "--strict", "--init"};
  return names;
}

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

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& words) : words_(words) {}

  Result<Arguments> Run() {
    for (; at_ < words_.size(); ++at_)
      if (Status status = Word(words_[at_]); !status.ok()) return status;
    return arguments_;
  }

 private:
  Status Word(const std::string& word) {
    if (word == "-h") return arguments_.help = true, Status();
    if (word.size() > 1 && word[0] == '-') return Option(word);
    if (!arguments_.method.empty())
      return InvalidArgument("unexpected argument `" + word + "`: the method is `" + arguments_.method +
                             "` already");
    arguments_.method = word;
    return {};
  }

  Status Option(const std::string& word) {
    size_t equal = word.find('=');
    std::string name = word.substr(0, equal);
    bool* flag = name == "--describe" ? &arguments_.describe
                 : name == "--bench"  ? &arguments_.bench
                 : name == "--json"   ? &arguments_.json
                 : name == "--help"   ? &arguments_.help
                 : name == "--strict" ? &arguments_.strict
                                      : nullptr;
    if (flag != nullptr) {
      if (equal != std::string::npos) return InvalidArgument(name + " takes no value");
      *flag = true;
      return {};
    }
    bool takes_value = name == "--weights" || name == "--input" || name == "--output" ||
                       name == "--threads" || name == "--profile" || name == "--init" ||
                       name == "--write-packed-weights";
    if (!takes_value)
      return InvalidArgument("unknown option `" + name + "`" + Suggestion(name, OptionNames()));
    std::string value;
    if (equal != std::string::npos) {
      value = word.substr(equal + 1);
    } else if (at_ + 1 < words_.size()) {
      value = words_[++at_];
    } else {
      return InvalidArgument(name + " needs a value");
    }
    return Value(name, value);
  }

  Status Value(const std::string& name, const std::string& value) {
    if (name == "--input") return Split(name, value, arguments_.inputs);
    if (name == "--output") return Split(name, value, arguments_.outputs);
    if (name == "--weights") {
      arguments_.weights.push_back(SplitWeights(value));
    } else if (name == "--profile") {
      arguments_.profile = value;
    } else if (name == "--write-packed-weights") {
      arguments_.packed_weights = value;
    } else if (name == "--init") {
      arguments_.init = true;
      if (!ParseNumber(value, &arguments_.seed))
        return InvalidArgument("--init takes a whole number, not `" + value + "`");
    } else if (!ParseNumber(value, &arguments_.threads) || arguments_.threads < 1 ||
               arguments_.threads > 1024) {
      return InvalidArgument("--threads takes a number in 1..1024, not `" + value + "`");
    }
    return {};
  }

  const std::vector<std::string>& words_;
  size_t at_ = 0;
  Arguments arguments_;
};

}  // namespace

Result<Arguments> ParseArguments(const std::vector<std::string>& words) { return Parser(words).Run(); }

std::string HelpText(const std::string& program, bool needs_weights, const std::vector<std::string>& inputs) {
  std::string example = program + (needs_weights ? " --weights model.safetensors" : "");
  for (const std::string& input : inputs) example += " --input " + input + "=" + input + ".npy";
  return "Usage: " + program + " [METHOD] [OPTION]...\n\n" +
         "  --weights [PREFIX=]FILE  safetensors file; with PREFIX its tensor T is PREFIX.T; may be "
         "repeated\n"
         "  --input NAME=FILE        .npy, .png or .jpg file, or a number for a tensor without axes\n"
         "  --output NAME=FILE       write this output as .npy; without any, all outputs are printed\n"
         "  --threads N              threads to use (default: all processors)\n"
         "  --describe [--json]      print methods, inputs and outputs\n"
         "  --bench [--json]         measure; inputs that are not given are random\n"
         "  --profile FILE           time every kernel: a trace for Perfetto, and a table\n"
         "  --strict                 tensors in weight files that nothing uses are an error\n"
         "  --init SEED              make up weights that no file gives, from a seed; for tests\n"
         "  --help                   print this text\n\n"
         "METHOD is `forward` if left out.\n\nExample: " +
         example + "\n";
}

}  // namespace weft::runtime
