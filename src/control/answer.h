#pragma once
#include <sstream>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "hunt/output/json_writer.h"

namespace beaconry {

// What write(JsonWriter&) writes: one value.
template <class Write>
std::string json_text(const Write& write) {
  std::ostringstream out;
  {
    JsonWriter json(out);
    write(json);
  }
  return std::move(out).str();
}

inline HttpResponse json_answer(std::string body, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// {"error": "..."}
inline HttpResponse error_answer(int status, std::string_view words) {
  return json_answer(json_text([&](JsonWriter& json) {
                       json.begin();
                       json.text("error", words);
                       json.end();
                     }),
                     status);
}

// By the error's kind: 400, 404, 409, 507 for what found no room, else 500.
HttpResponse error_answer(const Error& error);

// 503 for what may be tried again in some seconds.
HttpResponse busy_answer(std::string_view words);
// That where the error's kind is `limit`: too many wait. Else by its kind.
HttpResponse busy_or(const Error& error);

}  // namespace beaconry
