#ifndef WEFT_DSL_BASE_ARENA_H_
#define WEFT_DSL_BASE_ARENA_H_

#include <memory>
#include <utility>
#include <vector>

namespace weft::dsl {

// Owns nodes that point at each other. They all die with it, none by recursion, so a deep tree cannot exhaust
// the stack.
class Arena {
 public:
  template <typename T, typename... Args>
  T* New(Args&&... args) {
    nodes_.emplace_back(new T{std::forward<Args>(args)...}, [](void* node) { delete static_cast<T*>(node); });
    return static_cast<T*>(nodes_.back().get());
  }

 private:
  std::vector<std::unique_ptr<void, void (*)(void*)>> nodes_;
};

}  // namespace weft::dsl

#endif  // WEFT_DSL_BASE_ARENA_H_
