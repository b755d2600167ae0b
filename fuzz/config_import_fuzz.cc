// Whatever the old file: an error, or a configuration that is read without one.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/import_predecessor.h"
#include "config/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto imported =
      import_predecessor(std::string(reinterpret_cast<const char*>(data), size), "old.yaml");
  if (!imported) return 0;
  const auto document = ConfigDocument::parse(imported->text, "new.yaml");
  if (!document || !ConfigValues::read(config_schema(), *document)) std::abort();
  return 0;
}
