#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

// An edge program's local Unix socket: whoever may connect (mode 0600) gets one JSON document, then
// the end. One thread; never blocks, and a client that does not read gets less.
class StatusSocket {
 public:
  // Refuses to take the place of a socket that somebody answers.
  // `setting` is the configuration's key that names it.
  static Result<std::unique_ptr<StatusSocket>> open(const std::string& path,
                                                    const std::string& setting);
  ~StatusSocket();
  StatusSocket(const StatusSocket&) = delete;
  StatusSocket& operator=(const StatusSocket&) = delete;

  int descriptor() const { return listener_.get(); }  // readable: somebody asks
  void answer(const std::function<std::string()>& document);

 private:
  StatusSocket(Fd listener, std::string path)
      : listener_(std::move(listener)), path_(std::move(path)) {}

  Fd listener_;
  std::string path_;
};

// What a running program answers there. ErrorKind::not_found: none is running.
Result<std::string> ask_status(const std::string& path);

}  // namespace beaconry
