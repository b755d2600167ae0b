#pragma once

#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

// A network namespace, held: it lives on while this does, also when its processes are gone.
class NameSpace {
 public:
  NameSpace() = default;
  static Result<NameSpace> of_process(int process);
  static Result<NameSpace> own();  // the calling thread's

  // Runs `work` on a short-lived thread that is in this namespace.
  Result<void> within(const std::function<Result<void>()>& work) const;

  bool operator==(const NameSpace& other) const;
  explicit operator bool() const { return static_cast<bool>(descriptor_); }
  int descriptor() const { return descriptor_.get(); }

 private:
  static Result<NameSpace> open(const std::string& path);
  Fd descriptor_;
};

}  // namespace beaconry
