#include "compiler/profile/run_profiled.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "compiler/driver/program_in_memory.h"
#include "runtime/json.h"

namespace weft::profile {
namespace {

// A way from the program to here.
struct Pipe {
  int from = -1, to = -1;
  std::string text;

  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    from = ends[0], to = ends[1];
    return true;
  }
  void CloseEnd(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  ~Pipe() {
    CloseEnd(from);
    CloseEnd(to);
  }
};

// The profile goes through a pipe, too: it is a file that nobody has to take away.
struct Pipes {
  Pipe out, problems, trace;
  std::array<Pipe*, 3> all() { return {&out, &problems, &trace}; }
};

[[noreturn]] void RunInChild(int file, Pipes& pipes, std::vector<std::string> words) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(pipes.out.to, 1);
  ::dup2(pipes.problems.to, 2);
  int trace = ::dup(pipes.trace.to);  // stays open in the program
  for (const char* word : {"--bench", "--json", "--profile"}) words.emplace_back(word);
  words.push_back(absl::StrCat("/dev/fd/", trace));
  absl::Status failed = driver::Become(file, std::move(words));
  std::string text(failed.message());
  (void)!::write(2, text.data(), text.size());
  ::_exit(1);
}

// Until the program has closed all of them.
void ReadAll(Pipes& pipes) {
  for (Pipe* pipe : pipes.all()) pipe->CloseEnd(pipe->to);
  std::array<char, 1 << 16> block;
  while (true) {
    std::array<pollfd, 3> open{};
    bool any = false;
    for (size_t i = 0; i < open.size(); ++i) {
      open[i] = {pipes.all()[i]->from, POLLIN, 0};
      any |= open[i].fd >= 0;
    }
    if (!any) return;
    if (::poll(open.data(), open.size(), -1) < 0 && errno != EINTR) return;
    for (size_t i = 0; i < open.size(); ++i) {
      if (open[i].fd < 0 || open[i].revents == 0) continue;
      Pipe& pipe = *pipes.all()[i];
      ssize_t count = ::read(pipe.from, block.data(), block.size());
      if (count > 0) pipe.text.append(block.data(), static_cast<size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR)) pipe.CloseEnd(pipe.from);
    }
  }
}

// What stands behind "NAME: error: ", or else everything.
std::string ProblemIn(const std::string& text, const std::string& name) {
  std::string mark = absl::StrCat(name, ": error: ");
  size_t at = text.find(mark);
  return std::string(absl::StripSuffix(at == std::string::npos ? text : text.substr(at + mark.size()), "\n"));
}

}  // namespace

absl::StatusOr<ProfiledRun> RunProfiled(const std::string& name, const std::string& executable,
                                        std::vector<std::string> words,
                                        const std::function<void(const std::string&)>& note) {
  absl::StatusOr<int> file = driver::HoldInMemory(name, executable);
  if (!file.ok()) return file.status();
  Pipes pipes;
  bool good = true;
  for (Pipe* pipe : pipes.all()) good = good && pipe->Open();
  words.insert(words.begin(), name);
  pid_t child = good ? ::fork() : -1;
  if (child == 0) RunInChild(*file, pipes, std::move(words));
  ::close(*file);
  if (child < 0)
    return absl::ResourceExhaustedError(absl::StrCat("cannot start the program: ", std::strerror(errno)));
  ReadAll(pipes);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status))
    return absl::AbortedError(absl::StrCat("the program was ended by signal ", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) return absl::InvalidArgumentError(ProblemIn(pipes.problems.text, name));
  for (absl::string_view line : absl::StrSplit(pipes.problems.text, '\n'))
    if (absl::ConsumePrefix(&line, "note: ")) note(std::string(line));
  absl::StatusOr<Trace> trace = ReadTrace(pipes.trace.text);
  if (!trace.ok()) return trace.status();
  runtime::Json bench = runtime::Json::parse(pipes.out.text, nullptr, false);
  ProfiledRun run{*std::move(trace), 0};
  if (bench.is_object() && bench.contains("median_ms") && bench["median_ms"].is_number())
    run.median_seconds = bench["median_ms"].get<double>() * 1e-3;
  return run;
}

}  // namespace weft::profile
