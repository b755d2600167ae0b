#pragma once
#include <optional>
#include <string>

#include "base/time.h"
#include "bus/messages.h"
#include "sensor/runtime.h"

namespace beaconry {

// What the sensor's health says of the machine below its instances: the runtime and the storage
// pool. Services say the rest.
class PlatformHealth {
 public:
  // `runtime_fault`: why the runtime is away; empty: it is not. A pool of unknown size is fine.
  void see(const std::string& runtime_fault, const PoolSpace& pool,
           std::optional<double> days_to_full, Timestamp now);
  // They come first, as they are below all else: where they are as bad, theirs is the cause.
  void add_to(Health& whole) const;

 private:
  Health runtime_, pool_;
};

// Puts a part in front of a whole, which is as bad as its worst part, and for the same reason.
void put_first(Health& whole, const Health& part);

}  // namespace beaconry
