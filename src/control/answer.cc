#include "control/answer.h"

namespace beaconry {
namespace {

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::malformed:
    case ErrorKind::unsupported:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::limit:
      return 507;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::io:
      break;
  }
  return 500;
}

}  // namespace

HttpResponse error_answer(const Error& error) {
  HttpResponse response = error_answer(status_of(error.kind), error.message());
  if (response.status == 507) response.headers.emplace_back("retry-after", "10");
  return response;
}

HttpResponse busy_answer(std::string_view words) {
  HttpResponse response = error_answer(503, words);
  response.headers.emplace_back("retry-after", "2");
  return response;
}

HttpResponse busy_or(const Error& error) {
  return error.kind == ErrorKind::limit ? busy_answer(error.message()) : error_answer(error);
}

}  // namespace beaconry
