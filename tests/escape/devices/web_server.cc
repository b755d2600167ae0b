// web_server PORT TEXT
//   Answers every HTTP request with TEXT: where browsers find their proxy's configuration.
#include "stream.h"

using namespace beaconry;
using namespace beaconry::device;

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: web_server PORT TEXT\n", stderr);
    return 2;
  }
  const std::string text = words[2];
  serve_each(static_cast<std::uint16_t>(std::atoi(words[1])), [&](int client) {
    std::string stream;
    while (stream.find("\r\n\r\n") == std::string::npos) {
      if (stream.size() > 16'384 || !read_more(client, stream)) return;
    }
    write_all(client,
              "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n"
              "Content-Length: " +
                  std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text);
  });
}
