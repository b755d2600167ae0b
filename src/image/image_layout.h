#pragma once

#include <cstdint>

#include "image/tar.h"

namespace beaconry {

// Where things are in an image; docs/formats/image.md.
inline constexpr const char* kImageMetadata = "metadata.yaml";
inline constexpr const char* kImageRoot = "rootfs";
inline constexpr const char* kManifestInRoot = "instrument/manifest.yaml";
inline constexpr const char* kSbomInRoot = "instrument/sbom.spdx.json";
inline constexpr const char* kInitInRoot = "sbin/init";

inline constexpr std::size_t kLongestManifest = 256 << 10, kLongestMetadata = 64 << 10;
inline constexpr std::size_t kLongestSignatureFile = 16 << 10;
inline constexpr TarLimits kImageLimits{1ULL << 30, 4ULL << 30, 200'000};

}  // namespace beaconry
