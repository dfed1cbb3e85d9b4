#include "runtime/interruption.h"

#include <atomic>
#include <csignal>

namespace weft::runtime {
namespace {

std::atomic<int> held{0};
std::atomic<int> waiting{0};  // the signal that came meanwhile
static_assert(std::atomic<int>::is_always_lock_free);

void End(int number) {
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void Handle(int number) {
  waiting = number;
  // Whoever takes it out ends the process.
  if (held == 0 && waiting.exchange(0) != 0) End(number);
}

}  // namespace

InterruptionHeld::InterruptionHeld() { ++held; }

InterruptionHeld::~InterruptionHeld() {
  if (--held > 0) return;
  if (int number = waiting.exchange(0); number != 0) End(number);
}

void LetInterruptionsWait() {
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {}, action = {};
    if (sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    action.sa_handler = Handle;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
}

}  // namespace weft::runtime
