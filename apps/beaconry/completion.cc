#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "command_tree.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words)
    line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string option_words(const Command& command) {
  std::string line;
  for (const CommandOption& option : command.options) {
    if (!option.positional) line += (line.empty() ? "" : " ") + joined(option.names);
  }
  return line;
}

bool is_of_group(const Command& command) {
  return command.name.find(' ') != std::string::npos;
}

std::string subcommand_words(const CommandTree& tree) {
  std::vector<std::string> names;
  for (const Command& command : tree.subcommands) {
    if (!is_of_group(command)) names.push_back(command.name);
  }
  return joined(names);
}

// The choices of a command's positional argument, if it has any; of a group its commands.
std::string positional_words(const CommandTree& tree, const Command& command) {
  if (command.group) {
    std::vector<std::string> names;
    const std::string head = command.name + ' ';
    for (const Command& each : tree.subcommands) {
      const bool is_below = each.name.rfind(head, 0) == 0;
      if (is_below && each.name.find(' ', head.size()) == std::string::npos) {
        names.push_back(each.name.substr(head.size()));
      }
    }
    return joined(names);
  }
  for (const CommandOption& option : command.options) {
    if (option.positional && !option.choices.empty()) return joined(option.choices);
  }
  return "";
}

// Within single quotes of every shell here, only these would end the text or its field.
std::string quoted(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else if (c == '[' || c == ']' || c == ':') {
      safe += std::string("\\") + c;
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string bash(const CommandTree& tree) {
  std::string values;
  std::string options = "      '') words='" + option_words(tree.program) + "' ;;\n";
  std::string positionals, groups = ",";
  for (const Command& command : tree.subcommands) {
    if (command.group) groups += command.name + ',';
    options += "      '" + command.name + "') words='" + option_words(command) + "' ;;\n";
    if (const auto words = positional_words(tree, command); !words.empty()) {
      positionals += "      '" + command.name + "') words='" + words + "' ;;\n";
    }
    for (const CommandOption& option : command.options) {
      if (option.choices.empty()) continue;
      for (const std::string& name : option.names) {
        values +=
            "    '" + command.name + " " + name + "') words='" + joined(option.choices) + "' ;;\n";
      }
    }
  }
  return "# bash completion for beaconry; made by `beaconry completion bash`\n"
         "_beaconry() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command='' words='' word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    if [[ $word == -* ]]; then continue; fi\n"
         "    command=\"${command:+$command }$word\"\n"
         "    if [[ '" +
         groups +
         "' != *\",$command,\"* ]]; then break; fi\n"
         "  done\n"
         "  case \"$command $before\" in\n" +
         values +
         "  esac\n"
         "  if [[ -z $words && $current == -* ]]; then\n"
         "    case $command in\n" +
         options +
         "    esac\n"
         "  elif [[ -z $words && -z $command ]]; then\n"
         "    words='" +
         subcommand_words(tree) +
         "'\n"
         "  elif [[ -z $words ]]; then\n"
         "    case $command in\n" +
         positionals +
         "      *) ;;\n"
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         // Nothing of our own to offer: the shell offers files.
         "complete -o default -F _beaconry beaconry\n";
}

std::string zsh(const CommandTree& tree) {
  std::string text =
      "#compdef beaconry\n"
      "# zsh completion for beaconry; made by `beaconry completion zsh`\n"
      "_beaconry() {\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a commands=(\n";
  for (const Command& command : tree.subcommands) {
    if (is_of_group(command)) continue;
    text += "      '" + command.name + ":" + quoted(command.description) + "'\n";
  }
  text +=
      "    )\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $command in\n";
  for (const Command& command : tree.subcommands) {
    if (is_of_group(command)) continue;
    text += "    " + command.name + ")\n      _arguments";
    std::string rest = "_files";
    if (const auto words = positional_words(tree, command); !words.empty())
      rest = "(" + words + ")";
    for (const CommandOption& option : command.options) {
      for (const std::string& name : option.names) {
        text += " \\\n        '*" + name + "[" + quoted(option.description) + "]";
        if (!option.placeholder.empty()) {
          text += ":" + quoted(option.placeholder) + ":" +
                  (option.choices.empty() ? "_files" : "(" + joined(option.choices) + ")");
        }
        text += "'";
      }
    }
    text += " \\\n        '*:argument:" + rest + "'\n      ;;\n";
  }
  return text + "  esac\n}\n_beaconry \"$@\"\n";
}

std::string fish_quoted(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string fish(const CommandTree& tree) {
  std::string text = "# fish completion for beaconry; made by `beaconry completion fish`\n";
  const std::string all = subcommand_words(tree);
  for (const Command& command : tree.subcommands) {
    if (is_of_group(command)) continue;
    text += "complete -c beaconry -f -n 'not __fish_seen_subcommand_from " + all + "' -a " +
            command.name + " -d '" + fish_quoted(command.description) + "'\n";
    const std::string here =
        "complete -c beaconry -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const CommandOption& option : command.options) {
      if (option.positional) continue;
      text += here;
      for (const std::string& name : option.names) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.choices.empty()) {
        text += " -x -a '" + joined(option.choices) + "'";
      } else if (!option.placeholder.empty()) {
        text += " -r";
      }
      text += " -d '" + fish_quoted(option.description) + "'\n";
    }
    if (const auto words = positional_words(tree, command); !words.empty()) {
      text += here + " -f -a '" + words + "'\n";
    }
  }
  return text;
}

std::function<int()> define(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.footer("For example: beaconry completion bash > /etc/bash_completion.d/beaconry");
  return [&app, shell] {
    const CommandTree tree = command_tree(root_of(app));
    const std::string script =
        *shell == "bash" ? bash(tree) : (*shell == "zsh" ? zsh(tree) : fish(tree));
    const bool written = std::fputs(script.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return written ? kExitDone : kExitFound;
  };
}

}  // namespace

extern const Subcommand completion;
constinit const Subcommand completion{"completion", "Print a completion script for a shell",
                                      define};

}  // namespace beaconry::subcommands
