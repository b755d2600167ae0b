#include "control/password.h"

#include <sodium.h>

#include <algorithm>

namespace beaconry {

template <class Work>
auto Passwords::alone(const Work& work) -> decltype(work()) {
  struct Caller {
    std::atomic<unsigned>& callers;
    unsigned before;
    explicit Caller(std::atomic<unsigned>& all) : callers(all), before(all.fetch_add(1)) {}
    ~Caller() { callers.fetch_sub(1); }
  };
  const Caller caller(callers_);
  if (caller.before > kMostWaiting) {
    return fail(ErrorKind::limit, "check", "a password",
                "others are being checked; try again in some seconds");
  }
  const std::lock_guard lock(mutex_);
  if (sodium_init() < 0) {
    return fail(ErrorKind::io, "check", "a password", "the system has no secure random numbers");
  }
  return work();
}

Result<void> Passwords::check(std::string_view password) {
  // A character begins with every byte that does not continue one (UTF-8).
  const auto characters = std::count_if(password.begin(), password.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  if (static_cast<std::size_t>(characters) < kShortest) {
    return fail(ErrorKind::usage, "use", "the password", "it needs at least 10 characters");
  }
  if (password.size() > kLongest) {
    return fail(ErrorKind::usage, "use", "the password", "it is longer than 1024 bytes");
  }
  return {};
}

Result<std::string> Passwords::hash(std::string_view password) {
  if (auto good = check(password); !good) return tl::unexpected<Error>(std::move(good.error()));
  return alone([&]() -> Result<std::string> {
    char text[crypto_pwhash_STRBYTES] = {};
    if (crypto_pwhash_str(text, password.data(), password.size(), cost_.operations, cost_.memory) !=
        0) {
      return fail(ErrorKind::limit, "hash", "a password",
                  std::to_string(cost_.memory >> 20U) + " MiB of memory are needed and not there");
    }
    return std::string(text);
  });
}

Result<bool> Passwords::verify(const std::string& hash, std::string_view password) {
  password = password.substr(0, kLongest + 1);  // longer is nobody's
  if (hash.empty()) {
    return alone([&]() -> Result<bool> {
      char text[crypto_pwhash_STRBYTES] = {};
      if (crypto_pwhash_str(text, password.data(), password.size(), cost_.operations,
                            cost_.memory) != 0) {
        return fail(ErrorKind::limit, "check", "a password", "there is too little memory");
      }
      return false;
    });
  }
  return alone([&]() -> Result<bool> {
    return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  });
}

}  // namespace beaconry
