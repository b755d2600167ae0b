#pragma once
#include <termios.h>

#include <cstddef>
#include <string>

namespace beaconry {

// A terminal taken over for a full-screen view: alternate screen, no cursor, no echo. Whatever ends
// it, SIGINT, SIGTERM and SIGHUP included, the terminal is left as it was. One at a time.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // False where output is no terminal: show() then prints each text below the other.
  bool is_terminal() const { return terminal_; }
  std::size_t rows() const;
  void show(const std::string& text);
  // q or a signal.
  bool wants_end();
  // The window's size changed since the last call.
  static bool was_resized();

 private:
  void leave();
  bool terminal_ = false, keys_ = false;
  termios before_{};
};

}  // namespace beaconry
