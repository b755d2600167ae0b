#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// What a file of a Linux program says of how it is loaded.
struct ElfFile {
  bool is_elf = false;
  bool needs_libraries = false;
  std::string interpreter;  // "/lib64/ld-linux-x86-64.so.2"; empty: static, or a library
};
// Of any bytes; an error for an ELF file that is damaged or of another word size.
Result<ElfFile> read_elf(std::string_view bytes, const std::string& name);

}  // namespace beaconry
