#include "compiler/driver/fork_server.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace weft::driver {

namespace {

constexpr int kOutOfMemory = 71;
constexpr int kCannotFork = -1;  // in place of a wait status

// Server and client talk in messages of the socket. A child gets its request, and gives its answer, in a file
// in memory, the paper, so messages are small and nobody waits for a reader.
struct ToServer {
  size_t task;
};
struct FromServer {
  size_t task;
  int status;  // of waitpid
};

// ---- Files in memory

bool WriteAll(int file, absl::string_view bytes) {
  for (off_t at = 0; !bytes.empty();) {
    ssize_t count = ::pwrite(file, bytes.data(), bytes.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += count;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string ReadAll(int file) {
  std::string text(static_cast<size_t>(std::max<off_t>(0, ::lseek(file, 0, SEEK_END))), '\0');
  size_t done = 0;
  while (done < text.size()) {
    ssize_t count = ::pread(file, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  text.resize(done);
  return text;
}

// ---- The child

// What this process holds already.
int64_t BytesOfData() {
  std::ifstream stream("/proc/self/statm");
  int64_t all, resident, shared, text, library, data = 0;
  stream >> all >> resident >> shared >> text >> library >> data;
  return data * ::sysconf(_SC_PAGESIZE);
}

void LimitChild(const ChildLimits& limits) {
  auto limit = [](auto what, int64_t most, int64_t slack) {
    rlimit value{static_cast<rlim_t>(most), static_cast<rlim_t>(most + slack)};
    ::setrlimit(what, &value);
  };
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds, 5);
  ::alarm(static_cast<unsigned>(limits.wall_seconds));
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)  // whose own memory counts too
  limit(RLIMIT_DATA, BytesOfData() + (limits.megabytes << 20), 0);
#endif
  std::set_new_handler([] { ::_exit(kOutOfMemory); });
}

[[noreturn]] void BeChild(const ForkServer::Work& work, const ChildLimits& limits, int paper, int log) {
  ::dup2(log, 1);
  ::dup2(log, 2);
  LimitChild(limits);
  std::string answer = work(ReadAll(paper));
  bool good = ::ftruncate(paper, 0) == 0 && WriteAll(paper, answer);
  ::_exit(good ? 0 : kOutOfMemory);
}

// ---- The server

// The next request and its files; nothing once the client is gone.
std::optional<ToServer> Receive(int socket, int files[2]) {
  ToServer request;
  iovec part{&request, sizeof request};
  alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part, message.msg_iovlen = 1;
  message.msg_control = space, message.msg_controllen = sizeof space;
  ssize_t count;
  while ((count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  if (count != sizeof request || !control || control->cmsg_len != CMSG_LEN(2 * sizeof(int)))
    return std::nullopt;
  std::memcpy(files, CMSG_DATA(control), 2 * sizeof(int));
  return request;
}

[[noreturn]] void BeServer(const ForkServer::Work& work, const ChildLimits& limits, int socket) {
  // What ends a process ends this one at once, and its children with it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (std::signal(number, SIG_DFL) == SIG_IGN) std::signal(number, SIG_IGN);
  }
  sigset_t ends, before;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ends, &before);
  int ended = ::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
  std::map<pid_t, size_t> tasks;
  auto tell = [&](size_t task, int status) {
    FromServer message{task, status};
    if (::send(socket, &message, sizeof message, MSG_NOSIGNAL) != sizeof message) ::_exit(0);
  };
  for (;;) {
    pollfd waiting[] = {{socket, POLLIN, 0}, {ended, POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0) continue;
    if (waiting[1].revents != 0) {
      signalfd_siginfo info;
      (void)!::read(ended, &info, sizeof info);
      int status;
      for (pid_t child; (child = ::waitpid(-1, &status, WNOHANG)) > 0; tasks.erase(child))
        tell(tasks[child], status);
    }
    if (waiting[0].revents == 0) continue;
    int files[2];
    std::optional<ToServer> request = Receive(socket, files);
    if (!request) ::_exit(0);
    pid_t server = ::getpid(), child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != server) ::_exit(1);
      sigprocmask(SIG_SETMASK, &before, nullptr);
      ::close(socket);
      ::close(ended);
      BeChild(work, limits, files[0], files[1]);
    }
    for (int file : files) ::close(file);
    if (child < 0) {
      tell(request->task, kCannotFork);
    } else {
      tasks[child] = request->task;
    }
  }
}

// ---- The client

bool Send(int socket, size_t task, int paper, int log) {
  ToServer request{task};
  iovec part{&request, sizeof request};
  alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part, message.msg_iovlen = 1;
  message.msg_control = space, message.msg_controllen = sizeof space;
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET, control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(2 * sizeof(int));
  int files[2] = {paper, log};
  std::memcpy(CMSG_DATA(control), files, sizeof files);
  ssize_t count;
  while ((count = ::sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
  }
  return count == sizeof request;
}

void Explain(int status, const ChildLimits& limits, ChildEnd& end) {
  if (status == kCannotFork) {
    end.cause = "could not be started: the system allows no more processes";
  } else if (WIFSIGNALED(status)) {
    int number = WTERMSIG(status);
    bool too_long = number == SIGXCPU || number == SIGALRM;
    end.limited = too_long || absl::StrContains(end.said, "out of memory");
    end.cause = too_long ? absl::StrCat("took more than ",
                                        number == SIGXCPU ? limits.cpu_seconds : limits.wall_seconds, " s")
                : end.limited ? absl::StrCat("needed more than ", limits.megabytes, " MB")
                              : absl::StrCat("was ended by the signal `", ::strsignal(number), "`");
  } else if (int code = WEXITSTATUS(status); code == kOutOfMemory) {
    end.limited = true;
    end.cause = absl::StrCat("needed more than ", limits.megabytes, " MB");
  } else if (code != 0) {
    end.cause = absl::StrCat("ended with exit code ", code);
  }
}

}  // namespace

ChildLimits LimitsOfEnvironment() {
  auto number = [](const char* name, int64_t otherwise) {
    int64_t value = 0;
    const char* text = std::getenv(name);
    return text && absl::SimpleAtoi(text, &value) && value > 0 ? value : otherwise;
  };
  int64_t half = ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE) >> 21;
  return {number("WEFT_KERNEL_SECONDS", 120), number("WEFT_KERNEL_MEGABYTES", std::max<int64_t>(half, 1024))};
}

ForkServer::ForkServer(const Work& work, const ChildLimits& limits) : limits_(limits) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  server_ = ::fork();
  if (server_ == 0) {
    ::close(ends[0]);
    BeServer(work, limits, ends[1]);
  }
  ::close(ends[1]);
  socket_ = ends[0];
}

ForkServer::~ForkServer() {
  if (socket_ >= 0) ::close(socket_);
  for (const auto& [task, child] : children_) {
    ::close(child.paper);
    ::close(child.log);
  }
  while (server_ > 0 && ::waitpid(server_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

absl::Status ForkServer::Start(size_t task, absl::string_view request) {
  Child child{std::chrono::steady_clock::now(), ::memfd_create("kernel", MFD_CLOEXEC),
              ::memfd_create("log", MFD_CLOEXEC)};
  if (server_ > 0 && child.paper >= 0 && child.log >= 0 && WriteAll(child.paper, request) &&
      Send(socket_, task, child.paper, child.log)) {
    children_[task] = child;
    return absl::OkStatus();
  }
  std::string problem = std::strerror(errno);
  for (int file : {child.paper, child.log}) {
    if (file >= 0) ::close(file);
  }
  return absl::ResourceExhaustedError(absl::StrCat("cannot start a process for a kernel: ", problem));
}

absl::StatusOr<ChildEnd> ForkServer::Wait() {
  FromServer message{};
  ssize_t count;
  while ((count = ::recv(socket_, &message, sizeof message, 0)) < 0 && errno == EINTR) {
  }
  auto found = children_.find(message.task);
  if (count != sizeof message || found == children_.end())
    return absl::ResourceExhaustedError("the process that compiles kernels was ended from outside");
  Child child = found->second;
  children_.erase(found);
  ChildEnd end;
  end.task = message.task;
  end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - child.start).count();
  end.said = ReadAll(child.log);
  Explain(message.status, limits_, end);
  if (end.cause.empty()) end.answer = ReadAll(child.paper);
  ::close(child.paper);
  ::close(child.log);
  return end;
}

}  // namespace weft::driver
