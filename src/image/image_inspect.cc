#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "config/document.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/image_layout.h"
#include "image/minisign.h"
#include "image/tar.h"

namespace beaconry {
namespace {

struct Contents {
  std::optional<std::string> manifest, metadata;
  bool has_init = false;
  std::uint64_t bytes = 0;
};

Result<Contents> read_contents(TarReader& reader, const std::string& file) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::malformed, "read", terminal_safe(file), std::move(cause));
  };
  Contents contents;
  const std::string root = std::string(kImageRoot) + '/';
  for (;;) {
    auto next = reader.next();
    if (!next) return tl::unexpected<Error>(std::move(next.error()));
    if (!*next) return contents;
    const TarEntry& entry = **next;
    const std::string shown = "'" + terminal_safe(entry.path.substr(0, 100)) + "'";
    if (entry.kind == TarEntry::Kind::other) return refuse(shown + " is a device or pipe");
    contents.bytes += entry.bytes;
    const bool is_file = entry.kind == TarEntry::Kind::file;
    if (entry.path == kImageMetadata || entry.path == root + kManifestInRoot) {
      if (!is_file) return refuse(shown + " is no plain file");
      auto text =
          reader.content(entry.path == kImageMetadata ? kLongestMetadata : kLongestManifest);
      if (!text) return tl::unexpected<Error>(std::move(text.error()));
      (entry.path == kImageMetadata ? contents.metadata : contents.manifest) = std::move(*text);
      continue;
    }
    if (entry.path == root + kInitInRoot) contents.has_init = is_file;
    const bool is_root = entry.path == kImageRoot && entry.kind == TarEntry::Kind::folder;
    if (!is_root && !entry.path.starts_with(root) && !entry.path.empty())
      return refuse(shown + " belongs neither to the root nor to the metadata");
  }
}

// LXD would act on more, such as templates that it writes into the container.
Result<void> check_metadata(const std::string& text, const std::string& file) {
  const auto document = ConfigDocument::parse(text, file + ": metadata.yaml");
  if (!document) return tl::unexpected<Error>(document.error());
  for (const auto& member : document->root.members) {
    if (member.key != "architecture" && member.key != "creation_date" &&
        member.key != "properties") {
      return fail(ErrorKind::malformed, "read", document->place(member.line),
                  "'" + terminal_safe(member.key) + "' does not belong there");
    }
  }
  return {};
}

void check_signature(ImageInfo& info, const std::string& keys_folder) {
  const auto signature = read_small_file(info.file + ".minisig", kLongestSignatureFile);
  if (!signature) {
    std::error_code error;
    info.signature_fault =
        std::filesystem::exists(info.file + ".minisig", error)
            ? signature.error().message()
            : "it is not signed: there is no " + terminal_safe(info.file) + ".minisig";
    return;
  }
  const auto keys = read_public_keys(keys_folder);
  if (!keys) {
    info.signature_fault = keys.error().message();
    return;
  }
  const auto key = verify_file(info.file, *signature, *keys);
  if (key) {
    info.signed_by = key->id;
  } else {
    info.signature_fault = key.error().cause;
  }
}

}  // namespace

Result<ImageInfo> inspect_image(const std::string& file, const std::string& keys_folder) {
  const auto digest = sha256_file(file, kImageLimits.packed_bytes);
  if (!digest) return tl::unexpected<Error>(digest.error());
  auto reader = TarReader::open(file, kImageLimits);
  if (!reader) return tl::unexpected<Error>(reader.error());
  const auto contents = read_contents(*reader, file);
  if (!contents) return tl::unexpected<Error>(contents.error());
  if (!contents->manifest || !contents->metadata || !contents->has_init) {
    return fail(ErrorKind::malformed, "read", terminal_safe(file),
                std::string("no instrument's image: it has no ") +
                    (!contents->manifest   ? "rootfs/instrument/manifest.yaml"
                     : !contents->metadata ? "metadata.yaml"
                                           : "rootfs/sbin/init"));
  }
  if (auto good = check_metadata(*contents->metadata, file); !good)
    return tl::unexpected<Error>(std::move(good.error()));
  auto manifest = Manifest::parse(*contents->manifest, file + ": manifest.yaml");
  if (!manifest) return tl::unexpected<Error>(std::move(manifest.error()));
  ImageInfo info;
  info.manifest = std::move(*manifest);
  info.file = file;
  info.fingerprint = digest->sha256;
  info.bytes = digest->bytes;
  info.unpacked_bytes = contents->bytes;
  check_signature(info, keys_folder);
  return info;
}

}  // namespace beaconry
