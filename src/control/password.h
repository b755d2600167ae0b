#pragma once
#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// Passwords as argon2id keeps them (RFC 9106; libsodium's crypto_pwhash_str, which brings its own
// salt). Each takes `memory` bytes and about a tenth of a second: one at a time in the whole
// server, a few callers wait, and past those it is ErrorKind::limit. Any thread.
class Passwords {
 public:
  struct Cost {
    unsigned long long operations = 2;           // passes over the memory
    std::size_t memory = std::size_t{64} << 20;  // bytes
  };
  static constexpr std::size_t kShortest = 10;   // characters; there is no other rule
  static constexpr std::size_t kLongest = 1024;  // bytes
  static constexpr unsigned kMostWaiting = 4;

  explicit Passwords(Cost cost) : cost_(cost) {}

  static Result<void> check(std::string_view password);
  Result<std::string> hash(std::string_view password);
  // Takes as long where there is no hash, and is false then: the time does not tell who exists.
  Result<bool> verify(const std::string& hash, std::string_view password);

 private:
  template <class Work>
  auto alone(const Work& work) -> decltype(work());

  Cost cost_;
  std::mutex mutex_;
  std::atomic<unsigned> callers_ = 0;
};

}  // namespace beaconry
