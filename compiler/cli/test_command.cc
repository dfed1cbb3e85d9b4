#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "compiler/driver/run_test.h"
#include "compiler/driver/source_program.h"
#include "dsl/base/diagnostic_printer.h"

namespace weft::cli {

namespace {

struct TestCommand {
  std::vector<std::string> files;
  std::string filter;  // only tests whose title contains it
  std::string backend = "loops";
  int jobs = 0;  // tests at a time; 0: one per processor
  driver::TestOptions options;
};

using Clock = std::chrono::steady_clock;

struct Job {
  driver::SourceProgram* program;
  const dsl::ast::Test* test;
  Job(driver::SourceProgram* program, const dsl::ast::Test* test) : program(program), test(test) {}
  // While it runs, and after.
  pid_t child = 0;
  int pipe = -1;
  Clock::time_point start;
  std::string report;  // what the child wrote
};

// What the child says: 'p' or 'f', then the report. A child that says neither has crashed.
[[noreturn]] void RunInChild(const Job& job, driver::TestOptions options, int pipe) {
  options.schedules = job.program->schedules();
  dsl::Diagnostics& diagnostics = job.program->diagnostics();
  auto test = dsl::ElaborateTest(*job.program->module(), *job.test, job.program->sources(), diagnostics);
  std::string report = test ? driver::RunTest(*test, job.program->sources(), diagnostics, options)
                            : dsl::PrintDiagnostics(job.program->sources(), diagnostics);
  report = (report.empty() ? "p" : "f") + report;
  for (size_t written = 0; written < report.size();) {
    ssize_t count = ::write(pipe, report.data() + written, report.size() - written);
    if (count <= 0) break;
    written += static_cast<size_t>(count);
  }
  ::_exit(0);
}

bool Start(Job& job, const driver::TestOptions& options) {
  int ends[2];
  if (::pipe(ends) != 0) return false;
  job.start = Clock::now();
  job.child = ::fork();
  if (job.child == 0) {
    ::close(ends[0]);
    RunInChild(job, options, ends[1]);
  }
  ::close(ends[1]);
  job.pipe = ends[0];
  if (job.child > 0) return true;
  ::close(ends[0]);
  return false;
}

// True once the child has said everything.
bool ReadSome(Job& job) {
  char buffer[4096];
  ssize_t count = ::read(job.pipe, buffer, sizeof buffer);
  if (count > 0) job.report.append(buffer, static_cast<size_t>(count));
  return count == 0 || (count < 0 && errno != EINTR);
}

// Waits for the child's end and prints how it went. False if the test failed.
bool Finish(Job& job) {
  ::close(job.pipe);
  int status = 0;
  while (::waitpid(job.child, &status, 0) < 0 && errno == EINTR) {
  }
  bool passed = job.report == "p";
  std::string reason = job.report.empty() ? "" : job.report.substr(1);
  if (WIFSIGNALED(status)) {
    passed = false;
    absl::StrAppend(&reason, "the test crashed: ", ::strsignal(WTERMSIG(status)), "\n");
  } else if (job.report.empty()) {
    reason = absl::StrCat("the test ended with exit code ", WEXITSTATUS(status), " and said nothing\n");
  }
  double seconds = std::chrono::duration<double>(Clock::now() - job.start).count();
  std::cout << absl::StrFormat("%s %s (%.2f s)\n", passed ? "  pass" : "  FAIL", job.test->title, seconds)
            << reason << std::flush;
  return passed;
}

// Runs jobs side by side; they are reported as they end. Returns how many failed.
int RunJobs(std::vector<Job>& jobs, const TestCommand& command) {
  size_t at_once = command.jobs > 0 ? static_cast<size_t>(command.jobs)
                                    : std::max(1u, std::thread::hardware_concurrency());
  std::vector<Job*> running;
  int failures = 0;
  for (size_t next = 0; next < jobs.size() || !running.empty();) {
    while (next < jobs.size() && running.size() < at_once) {
      Job& job = jobs[next++];
      if (Start(job, command.options)) {
        running.push_back(&job);
      } else {
        std::cerr << "error: cannot start a process: " << std::strerror(errno) << "\n";
        ++failures;
      }
    }
    std::vector<pollfd> waiting;
    for (Job* job : running) waiting.push_back({job->pipe, POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    std::vector<Job*> left;
    for (size_t i = 0; i < running.size(); ++i) {
      if (waiting[i].revents == 0 || !ReadSome(*running[i])) {
        left.push_back(running[i]);
      } else if (!Finish(*running[i])) {
        ++failures;
      }
    }
    running = std::move(left);
  }
  return failures;
}

// Runs every test of the files in a process of its own, so that one that crashes is one failure. Prints a
// line per test and what failed.
int RunTests(const TestCommand& command) {
  int failures = 0, count = 0;
  bool broken = false;
  for (const std::string& file : command.files) {
    driver::SourceProgram program;
    if (!LoadOrReport(program, file) || PrintDiagnostics(program)) {
      broken = true;
      continue;
    }
    std::vector<Job> jobs;
    for (const dsl::ast::Test* test : dsl::Tests(*program.module())) {
      if (test->title.find(command.filter) != std::string::npos) jobs.emplace_back(&program, test);
    }
    std::cout << file << ": " << jobs.size() << (jobs.size() == 1 ? " test" : " tests") << ", seed "
              << command.options.seed << '\n'
              << std::flush;
    count += static_cast<int>(jobs.size());
    failures += RunJobs(jobs, command);
  }
  if (count == 0 && !broken) {
    std::cerr << "error: there is no test"
              << (command.filter.empty() ? "" : " whose name contains `" + command.filter + "`") << "\n";
    return 1;
  }
  if (count > 0) std::cout << count - failures << " of " << count << " tests passed\n";
  return failures > 0 || broken ? 1 : 0;
}

}  // namespace

void AddTestCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<TestCommand>();
  CLI::App* command = app.add_subcommand(
      "test", "Run the tests of model files.\nExample: weft test --filter softmax a.weft b.weft");
  command->add_option("FILES", options->files, "the model files")->required();
  command->add_option("--filter", options->filter, "only tests whose name contains this");
  command->add_option("--backend", options->backend, "loops (default), which compiles fastest, or halide")
      ->check(CLI::IsMember({"halide", "loops"}));
  command
      ->add_option("--link", options->options.linked,
                   "object, archive or shared library with ops in C; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--seed", options->options.seed, "what random numbers are drawn from (default 1)");
  command->add_option("-j,--jobs", options->jobs, "tests at a time; one per processor if left out")
      ->check(CLI::Range(1, 1024));
  command->callback([&run, options] {
    if (options->backend == "halide") options->options.backend = driver::Backend::kHalide;
    run = [options] { return RunTests(*options); };
  });
}

}  // namespace weft::cli
