#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace beaconry {

class Control;

// What became of a password that somebody showed, at a login or to change his own.
enum class LoginOutcome : std::uint8_t { done, refused, code_needed, limited, busy };

// What Prometheus scrapes (text format 0.0.4). Any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void ingested(double seconds);  // one batch, from its bytes to the answer
  void analyzed(double seconds);
  void login(LoginOutcome outcome);
  std::string text(const Control& control) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace beaconry
