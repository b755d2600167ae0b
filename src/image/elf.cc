#include "image/elf.h"

#include <elf.h>

#include <cstring>
#include <optional>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostHeaders = 256, kLongestInterpreter = 1024;

// A struct of the file, which may lie at any address.
template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool names_libraries(std::string_view bytes, const Elf64_Phdr& header) {
  for (std::uint64_t done = 0; done + sizeof(Elf64_Dyn) <= header.p_filesz;
       done += sizeof(Elf64_Dyn)) {
    const auto entry = at<Elf64_Dyn>(bytes, header.p_offset + done);
    if (!entry || entry->d_tag == DT_NULL) return false;
    if (entry->d_tag == DT_NEEDED) return true;
  }
  return false;
}

}  // namespace

Result<ElfFile> read_elf(std::string_view bytes, const std::string& name) {
  ElfFile file;
  if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG))) return file;
  file.is_elf = true;
  const auto refuse = [&](const char* cause) {
    return fail(ErrorKind::malformed, "read program", terminal_safe(name), cause);
  };
  const auto head = at<Elf64_Ehdr>(bytes, 0);
  if (!head) return refuse("it is cut off");
  if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB)
    return refuse("it is no 64-bit program");
  if (head->e_phentsize != sizeof(Elf64_Phdr) && head->e_phnum != 0)
    return refuse("its headers are damaged");
  for (std::size_t i = 0; i < std::min<std::size_t>(head->e_phnum, kMostHeaders); ++i) {
    const auto header = at<Elf64_Phdr>(bytes, head->e_phoff + i * sizeof(Elf64_Phdr));
    if (!header) return refuse("its headers are cut off");
    if (header->p_type == PT_DYNAMIC) file.needs_libraries = names_libraries(bytes, *header);
    if (header->p_type != PT_INTERP) continue;
    if (header->p_offset > bytes.size() || header->p_filesz > kLongestInterpreter ||
        header->p_filesz > bytes.size() - header->p_offset)
      return refuse("its interpreter is cut off");
    const auto text = bytes.substr(header->p_offset, header->p_filesz);
    file.interpreter = text.substr(0, text.find('\0'));
    if (!file.interpreter.starts_with('/')) return refuse("its interpreter is no whole path");
  }
  return file;
}

}  // namespace beaconry
