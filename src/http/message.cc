#include "http/message.h"

#include "http/target.h"

namespace beaconry {
namespace {

std::string_view first_of(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
  return first_of(headers, lower_case_name);
}

std::string HttpRequest::path() const {
  return target_path(target);
}

std::vector<std::pair<std::string, std::string>> HttpRequest::parameters() const {
  return target_parameters(target);
}

std::string_view HttpResponse::header(std::string_view lower_case_name) const {
  return first_of(headers, lower_case_name);
}

}  // namespace beaconry
