#include "image/sbom.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "image/digest.h"
#include "image/host_files.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNothing = "NOASSERTION";
constexpr const char* kInstrument = "SPDXRef-Instrument";

std::string numbered(const char* what, std::size_t number) {
  return std::string("SPDXRef-") + what + '-' + std::to_string(number);
}

// SPDX 2.3 §7.9: SHA-1 of the files' sorted SHA-1s.
std::string verification_code(std::vector<std::string> digests) {
  std::sort(digests.begin(), digests.end());
  std::string all;
  for (const std::string& each : digests)
    all += each;
  return sha1_hex(all);
}

Json package(const std::string& id, const std::string& name, const std::string& version) {
  return {{"SPDXID", id},
          {"name", name},
          {"versionInfo", version},
          {"downloadLocation", kNothing},
          {"filesAnalyzed", false},
          {"licenseConcluded", kNothing},
          {"licenseDeclared", kNothing},
          {"copyrightText", kNothing}};
}

void set_files(Json& json, const std::vector<std::string>& digests) {
  if (digests.empty()) return;
  json["filesAnalyzed"] = true;
  json["packageVerificationCode"] = {{"packageVerificationCodeValue", verification_code(digests)}};
  json["licenseInfoFromFiles"] = Json::array({kNothing});
}

// Names and versions have characters that mean something in a package URL: libstdc++6, 1:2.3+b1.
std::string purl_part(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != kPlain.npos)
      encoded += c;
    else
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return encoded;
}

// `kind`: deb/debian or apk/alpine.
Json purl(const char* kind, const std::string& name, const std::string& version) {
  return {{"referenceCategory", "PACKAGE-MANAGER"},
          {"referenceType", "purl"},
          {"referenceLocator",
           std::string("pkg:") + kind + '/' + purl_part(name) + '@' + purl_part(version)}};
}

Json relation(const std::string& from, const char* what, const std::string& to) {
  return {{"spdxElementId", from}, {"relationshipType", what}, {"relatedSpdxElement", to}};
}

}  // namespace

Result<std::string> make_sbom(const Manifest& manifest, const BaseRoot& root) {
  std::vector<std::string> origins;
  for (const auto& [path, entry] : root.tree.entries()) {
    if (!entry.origin.empty()) origins.push_back(entry.origin);
  }
  const auto owners = packages_of(origins);
  if (!owners) return tl::unexpected<Error>(owners.error());

  Json files = Json::array(), relations = Json::array();
  relations.push_back(relation("SPDXRef-DOCUMENT", "DESCRIBES", kInstrument));
  struct Part {
    DebianPackage package;
    std::vector<std::string> ids, digests;
  };
  std::map<std::string, Part> parts;  // by package; "" the instrument's own
  std::string all;
  for (const auto& [path, entry] : root.tree.entries()) {
    if (entry.content == nullptr) continue;
    const std::string id = numbered("File", files.size() + 1);
    const std::string sha1 = sha1_hex(*entry.content), sha256 = sha256_of(*entry.content);
    files.push_back(
        {{"SPDXID", id},
         {"fileName", "./" + utf8_valid(path)},
         {"checksums", Json::array({{{"algorithm", "SHA1"}, {"checksumValue", sha1}},
                                    {{"algorithm", "SHA256"}, {"checksumValue", sha256}}})},
         {"licenseConcluded", kNothing},
         {"licenseInfoInFiles", Json::array({kNothing})},
         {"copyrightText", kNothing}});
    all += path + '\0' + sha256;
    const auto owner = owners->find(entry.origin);
    const std::string key = owner == owners->end() ? "" : owner->second.name;
    Part& part = parts[key];
    if (owner != owners->end()) part.package = owner->second;
    part.ids.push_back(id);
    part.digests.push_back(sha1);
  }

  Json packages = Json::array();
  Json own = package(kInstrument, manifest.name, manifest.version);
  set_files(own, parts[""].digests);
  packages.push_back(std::move(own));
  for (const auto& [name, part] : parts) {
    const std::string id = name.empty() ? kInstrument : numbered("Package", packages.size());
    if (!name.empty()) {
      Json json = package(id, name, part.package.version);
      set_files(json, part.digests);
      Json url = purl("deb/debian", name, part.package.version);
      url["referenceLocator"] = url["referenceLocator"].get<std::string>() +
                                "?arch=" + purl_part(part.package.architecture);
      json["externalRefs"] = Json::array({std::move(url)});
      packages.push_back(std::move(json));
      relations.push_back(relation(kInstrument, "DEPENDS_ON", id));
    }
    for (const std::string& file : part.ids)
      relations.push_back(relation(id, "CONTAINS", file));
  }
  for (const BaseRoot::Package& each : root.alpine_packages) {
    const std::string id = numbered("Package", packages.size());
    Json json = package(id, each.name, each.version);
    json["externalRefs"] = Json::array({purl("apk/alpine", each.name, each.version)});
    packages.push_back(std::move(json));
    relations.push_back(relation(kInstrument, "DEPENDS_ON", id));
  }

  const std::string title = manifest.name + '-' + manifest.version;
  const Json document = {
      {"spdxVersion", "SPDX-2.3"},
      {"dataLicense", "CC0-1.0"},
      {"SPDXID", "SPDXRef-DOCUMENT"},
      {"name", title},
      {"documentNamespace", "https://beaconry.example/spdx/" + title + '-' + sha256_of(all)},
      {"creationInfo",
       {{"created", "1970-01-01T00:00:01Z"}, {"creators", Json::array({"Tool: beaconry"})}}},
      {"packages", packages},
      {"files", files},
      {"relationships", relations}};
  return document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace beaconry
