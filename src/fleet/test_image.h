#pragma once

#include <string>

#include "image/tar.h"

namespace beaconry::test {

// The bytes of an instrument's image, as `beaconry instrument build` packs one, with this manifest.
inline std::string image_bytes(const std::string& manifest, std::size_t extra = 0) {
  TarWriter writer;
  const auto add = [&](const std::string& path, const std::string& content) {
    TarEntry entry;
    entry.path = path;
    entry.bytes = content.size();
    writer.add(entry, content);
  };
  const auto add_folder = [&](const std::string& path) {
    TarEntry entry;
    entry.path = path;
    entry.kind = TarEntry::Kind::folder;
    entry.mode = 0755;
    writer.add(entry, {});
  };
  add("metadata.yaml",
      "architecture: x86_64\ncreation_date: 1\nproperties:\n  name: \"a\"\n  version: \"1\"\n"
      "  description: \"a 1\"\n  os: beaconry\n");
  add_folder("rootfs");
  add_folder("rootfs/instrument");
  add("rootfs/instrument/manifest.yaml", manifest);
  add_folder("rootfs/sbin");
  add("rootfs/sbin/init", "#!/bin/true\n");
  // What no packer makes smaller.
  std::string noise(extra, '\0');
  std::uint32_t state = 1;
  for (char& byte : noise) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  add("rootfs/noise", noise);
  return writer.finish();
}

}  // namespace beaconry::test
