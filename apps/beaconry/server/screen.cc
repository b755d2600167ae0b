#include "server/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

namespace beaconry {
namespace {

volatile std::sig_atomic_t ended = 0, resized = 0;

void on_end(int /*signal*/) {
  ended = 1;
}
void on_resize(int /*signal*/) {
  resized = 1;
}

constexpr std::array<int, 3> kEnds = {SIGINT, SIGTERM, SIGHUP};

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

void write_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

Screen::Screen() : terminal_(::isatty(STDOUT_FILENO) == 1) {
  ended = 0;
  resized = 0;
  for (const int signal : kEnds)
    handle(signal, on_end);
  handle(SIGWINCH, on_resize);
  if (!terminal_) return;
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    keys_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  write_out("\x1b[?1049h\x1b[?25l");
}

Screen::~Screen() {
  leave();
  for (const int signal : kEnds)
    handle(signal, SIG_DFL);
  handle(SIGWINCH, SIG_DFL);
}

void Screen::leave() {
  if (!terminal_) return;
  write_out("\x1b[?25h\x1b[?1049l");
  if (keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::size_t Screen::rows() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return size.ws_row;
  return 24;
}

void Screen::show(const std::string& text) {
  if (!terminal_) {
    write_out(text + '\n');
    return;
  }
  // Each line clears what stood behind it, and the end what stood below: nothing flickers.
  std::string drawn = "\x1b[H";
  std::size_t left = rows();
  for (const char c : text) {
    if (c == '\n') {
      if (--left == 0) break;
      drawn += "\x1b[K\r\n";
    } else {
      drawn += c;
    }
  }
  write_out(drawn + "\x1b[K\x1b[J");
}

bool Screen::wants_end() {
  if (keys_) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    std::array<char, 64> typed{};
    while (::poll(&input, 1, 0) == 1 && (input.revents & POLLIN) != 0) {
      const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
      if (count <= 0) break;
      for (ssize_t i = 0; i < count; ++i) {
        if (typed[static_cast<std::size_t>(i)] == 'q') ended = 1;
      }
    }
  }
  return ended != 0;
}

bool Screen::was_resized() {
  const bool was = resized != 0;
  resized = 0;
  return was;
}

}  // namespace beaconry
