#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace beaconry {

// /etc/resolv.conf, written in place: the service may write that file and nothing else beside it.
class ResolvConf {
 public:
  explicit ResolvConf(std::string path) : path_(std::move(path)) {}

  // Its text; none: there is no such file.
  Result<std::optional<std::string>> read() const;
  // Its name servers are these, its other lines stay. An error where it is a link: it is kept by
  // another program then, which would be lied about.
  Result<void> set_servers(const std::vector<std::string>& servers) const;
  Result<void> put_back(const std::optional<std::string>& text) const;

 private:
  bool is_link() const;
  Result<void> write(const std::string& text) const;
  std::string path_;
};

}  // namespace beaconry
