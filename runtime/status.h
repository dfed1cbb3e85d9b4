#ifndef WEFT_RUNTIME_STATUS_H_
#define WEFT_RUNTIME_STATUS_H_

#include <optional>
#include <string>
#include <utility>

#include "runtime/weft.h"

namespace weft::runtime {

// WEFT_OK, or an error with a text for people: lower case, no full stop.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(weft_error code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == WEFT_OK; }
  weft_error code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  weft_error code_ = WEFT_OK;
  std::string message_;
};

inline Status InvalidArgument(std::string message) { return {WEFT_INVALID_ARGUMENT, std::move(message)}; }
inline Status WeightError(std::string message) { return {WEFT_WEIGHTS, std::move(message)}; }
inline Status StateError(std::string message) { return {WEFT_STATE, std::move(message)}; }
inline Status OutOfMemory(std::string message) { return {WEFT_OUT_OF_MEMORY, std::move(message)}; }

// A value or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: a value is a result
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: so is an error
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_STATUS_H_
