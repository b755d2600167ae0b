#pragma once
// beaconry-control in a folder of its own and on a port that it keeps from start to start.
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/time.h"
#include "faults/child.h"
#include "http/client.h"

namespace beaconry::faults {

using Json = nlohmann::json;

Timestamp now();
// Waits for it, far longer than anything here takes.
bool wait_for(const std::function<bool()>& condition);

class Server {
 public:
  // `folder` outlives it; `more` goes into its configuration.
  explicit Server(const std::string& folder, const std::string& more = {});

  void begin();  // starts it, and does not wait
  void start();  // starts it, and waits until it answers
  void crash() { child_.reset(); }
  void end();  // SIGTERM, which must end it well

  const std::string& url() const { return url_; }
  std::string endpoint() const { return url_.substr(7); }
  std::string journal() const { return folder_ + "/state/journal"; }
  std::string log() const { return folder_ + "/control.log"; }

  HttpResponse send(const std::string& method, const std::string& target,
                    const std::string& body = {}, const HttpHeaders& headers = {});
  // What must be answered with 200 and JSON.
  Json get(const std::string& target);
  Json status() { return get("/api/v1/status"); }
  Json edges() { return get("/api/v1/edges")["edges"]; }

 private:
  std::string folder_, url_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Child> child_;
};

}  // namespace beaconry::faults
