#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/file.h"
#include "base/text.h"
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
    // Somebody could change the metadata by its second name.
    if (entry.kind == TarEntry::Kind::hard_link && !entry.target.starts_with(root))
      return refuse(shown + " is a hard link to what is not in the root");
    if (entry.path == root + kInitInRoot) contents.has_init = is_file;
    const bool is_root = entry.path == kImageRoot && entry.kind == TarEntry::Kind::folder;
    if (!is_root && !entry.path.starts_with(root) && !entry.path.empty())
      return refuse(shown + " belongs neither to the root nor to the metadata");
  }
}

// The form that the build writes, to the letter. LXD would act on more, such as templates that it
// writes into the container, and its YAML reader breaks lines where another does not (at a bare CR,
// NEL, U+2028): so nothing that is left to a reader of YAML may be in it.
bool is_metadata(std::string_view text) {
  const auto take = [&](std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
  };
  const auto take_word = [&](std::string_view more) {  // letters, digits and those
    const auto end = std::find_if(text.begin(), text.end(), [&](char c) {
      return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos);
    });
    const auto length = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(length);
    return length > 0;
  };
  constexpr std::string_view kInWords = " .+~-";
  return take("architecture: ") && take_word("_") && take("\ncreation_date: 1\nproperties:\n") &&
         take("  name: \"") && take_word(kInWords) && take("\"\n") && take("  version: \"") &&
         take_word(kInWords) && take("\"\n") && take("  description: \"") && take_word(kInWords) &&
         take("\"\n") && take("  os: beaconry\n") && text.empty();
}

// LXD gets the file as it is, not one that we packed anew of what we read: the fingerprint, by
// which LXD knows an image, is the SHA-256 of what the author signed, and other packing has
// another. So all that a reader could take otherwise than TarReader is refused, and metadata.yaml,
// the only entry that LXD acts on, has one form. Plain archives are refused too: LXD tells formats
// by the first bytes, and the beginning of a tar can be that of a squashfs.
Result<void> expect_gzip(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (stream.get() == 0x1f && stream.get() == 0x8b) return {};
  return fail(ErrorKind::malformed, "read", terminal_safe(file),
              "no instrument's image: it is not packed by gzip");
}

void check_signature(ImageInfo& info, const std::string& keys_folder) {
  const auto signature = read_small_file(info.file + ".minisig", kLongestSignatureFile);
  if (!signature) {
    std::error_code error;
    info.signature_fault = std::filesystem::exists(info.file + ".minisig", error)
                               ? signature.error().message()
                               : "it is not signed: there is no .minisig beside it";
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
  if (auto packed = expect_gzip(file); !packed)
    return tl::unexpected<Error>(std::move(packed.error()));
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
  if (!is_metadata(*contents->metadata)) {
    return fail(ErrorKind::malformed, "read", terminal_safe(file),
                "its metadata.yaml is not as 'beaconry instrument build' writes it; build it anew");
  }
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
