#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include "beaconry_version.h"
#include "command_tree.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

// Text as roff takes it: a line must not begin with a dot or quote, and "-" is a minus.
std::string roff(std::string_view text) {
  std::string safe;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) safe += "\\&";
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      safe += c;
    }
    line_start = c == '\n';
  }
  return safe;
}

std::string option_text(const CommandOption& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += (names.empty() ? "" : ", ") + std::string("\\fB") + roff(name) + "\\fR";
  }
  std::string value;
  for (const std::string& choice : option.choices)
    value += (value.empty() ? "" : "|") + choice;
  if (value.empty()) value = option.placeholder;
  if (!value.empty()) names += (names.empty() ? "\\fI" : " \\fI") + roff(value) + "\\fR";
  return ".TP\n" + names + "\n" + roff(option.description) + "\n";
}

constexpr std::string_view kAfterOptions = R"(.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
it could not be done; with \fB\-\-exit\-code\fR, beacons were found
.TP
.B 2
the command line was wrong
.TP
.B 3
no input could be read
.SH EXAMPLES
Find the beacons of a day of Zeek logs:
.PP
.RS
.nf
beaconry hunt /data/zeek/2026\-11\-20/
.fi
.RE
.PP
Look into one of them, and write a page to forward:
.PP
.RS
.nf
beaconry hunt capture.pcap \-\-explain '10.0.0.13\->203.0.113.50:443/TCP'
beaconry hunt capture.pcap \-\-report beacons.html
.fi
.RE
.PP
The score is a rank, not a probability.
)";

std::string page(const CommandTree& tree) {
  std::string text = ".TH BEACONRY 1 \"\" \"beaconry " BEACONRY_VERSION "\" \"User Commands\"\n";
  text += ".SH NAME\nbeaconry \\- find beacons in network captures and logs\n";
  text += ".SH SYNOPSIS\n.B beaconry\n\\fISUBCOMMAND\\fR [\\fIOPTION\\fR...]\n";
  text += ".SH DESCRIPTION\n" + roff(tree.program.description) + "\n";
  for (const CommandOption& option : tree.program.options)
    text += option_text(option);
  text += ".SH SUBCOMMANDS\n";
  for (const Command& command : tree.subcommands) {
    text += ".SS beaconry " + roff(command.name) + "\n" + roff(command.description) + "\n";
    for (const CommandOption& option : command.options)
      text += option_text(option);
  }
  text += kAfterOptions;
  return text;
}

std::function<int()> define(CLI::App& app) {
  return [&app] {
    const std::string text = page(command_tree(root_of(app)));
    const bool written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return written ? kExitDone : kExitFound;
  };
}

}  // namespace

extern const Subcommand manual;
constinit const Subcommand manual{"manual", "Print the manual page (beaconry manual | man -l -)",
                                  define};

}  // namespace beaconry::subcommands
