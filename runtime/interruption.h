#ifndef WEFT_RUNTIME_INTERRUPTION_H_
#define WEFT_RUNTIME_INTERRUPTION_H_

namespace weft::runtime {

// While one of these lives, on any thread, Ctrl-C and its like (SIGINT, SIGTERM, SIGHUP) wait: what was
// begun, such as a temporary file, is finished or taken away first. Works in processes that called
// LetInterruptionsWait; a library leaves signals to the program that it is in.
class InterruptionHeld {
 public:
  InterruptionHeld();
  ~InterruptionHeld();
  InterruptionHeld(const InterruptionHeld&) = delete;
  InterruptionHeld& operator=(const InterruptionHeld&) = delete;
};

// For main functions, before threads start. Signals that are ignored stay so.
void LetInterruptionsWait();

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_INTERRUPTION_H_
