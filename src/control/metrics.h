#pragma once
#include <memory>
#include <string>

namespace beaconry {

class Control;

// What Prometheus scrapes (text format 0.0.4). Any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void ingested(double seconds);  // one batch, from its bytes to the answer
  void analyzed(double seconds);
  std::string text(const Control& control) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace beaconry
