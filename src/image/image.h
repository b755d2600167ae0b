#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/manifest.h"

namespace beaconry {

// An image is one file NAME_VERSION.instrument: a gzip'd tar that LXD and Incus import as it is
// (metadata.yaml, rootfs/), with rootfs/instrument/{manifest.yaml,sbom.spdx.json} as its first
// entries. Beside it NAME_VERSION.instrument.minisig (minisign, prehashed) and .sbom.json.
// docs/formats/image.md.
struct ImageInfo {
  Manifest manifest;
  std::string file;
  std::string fingerprint;  // SHA-256 of the file: LXD's too
  std::uint64_t bytes = 0, unpacked_bytes = 0;
  std::string signed_by;        // key id of the pinned key; empty: unsigned, or by nobody known
  std::string signature_fault;  // why signed_by is empty
};

// Reads head and manifest, hashes the whole and holds the signature against the pinned keys
// (FOLDER/*.pub, minisign's format). Foreign bytes: bounded, no path leaves the tree.
Result<ImageInfo> inspect_image(const std::string& file, const std::string& keys_folder);

struct BuildOptions {
  // manifest.yaml, programs (all that may be executed there, but `build`) for /instrument, files/
  // (copied over /).
  std::string source_folder;
  std::string output_folder;
  std::string base;     // an Alpine minirootfs tarball; empty: a busybox root
  std::string busybox;  // a static one; empty: /bin/busybox
  std::string
      signing_key;  // minisign's secret key file without a password, or ours; empty: unsigned
  std::vector<std::string> extra;  // HOST:PATH, more files
};
struct BuiltImage {
  std::string file, signature, sbom, fingerprint;
  std::uint64_t bytes = 0;
};
// The same input gives the same bytes: sorted entries, uid 0, time 1, fixed gzip header.
// Dynamic programs get the libraries they need from the host with them (as ldd says), listed in the
// SBOM with their Debian package.
Result<BuiltImage> build_image(const BuildOptions& options);
// A folder with manifest.yaml, instrument.cc or instrument.py, build script: works as it is.
Result<void> write_skeleton(const std::string& name, const std::string& language,
                            const std::string& folder);

}  // namespace beaconry
