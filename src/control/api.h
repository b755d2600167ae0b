#pragma once
#include <string>
#include <vector>

#include "control/access.h"
#include "control/route.h"
#include "http/server.h"

namespace beaconry {

// Requests to routes: who asks, may they, and what answers. Any thread.
class Api final : public HttpHandler {
 public:
  // `most_body`: what routes that take telemetry allow, as sent.
  Api(Control& control, std::size_t most_body);

  Admission admit(const HttpRequest& head) override;
  HttpResponse handle(HttpRequest request) override;

 private:
  struct Found {
    const Route* route = nullptr;
    std::string argument;
    std::string allowed;  // the path is there, but not for this method: those that are
  };
  Found find(const HttpRequest& head) const;
  Access access_of(const HttpRequest& head) const;
  std::optional<HttpResponse> refusal(const HttpRequest& head, const Found& found,
                                      const Access& access) const;
  void record(const HttpRequest& head, const Found& found, const Access& access,
              const AuditNote& note, int status) const;

  Control& control_;
  std::size_t most_body_;
};

}  // namespace beaconry
