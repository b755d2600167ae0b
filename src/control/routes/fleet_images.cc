#include <nlohmann/json.hpp>

#include "control/answer.h"
#include "control/byte_range.h"
#include "control/control.h"
#include "control/image_use.h"
#include "control/own_sensor.h"
#include "control/query.h"
#include "control/route.h"
#include "fleet/document_text.h"
#include "fleet/image_store.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMostOffset = std::uint64_t{1} << 40;
constexpr std::size_t kLongestSignatureBody = 64 << 10;

std::size_t count_in(const std::map<std::string, std::size_t>& used, const std::string& sha256) {
  const auto found = used.find(sha256);
  return found == used.end() ? 0 : found->second;
}

// The members of an image, complete or not.
void write_image(JsonWriter& json, const ImageStore::Image& image, std::size_t used) {
  json.plain("sha256", image.sha256);
  json.text("name", image.name);
  json.text("version", image.version);
  json.whole("bytes", image.bytes);
  json.whole("have", image.bytes);
  json.text_or_null("signer", image.signer);
  json.plain("added", to_rfc3339(image.added));
  json.text_or_null("who", image.who);
  json.flag("complete", true);
  json.whole("used_by", used);
}

void write_upload(JsonWriter& json, const ImageStore::Upload& upload) {
  json.plain("sha256", upload.sha256);
  json.plain("name", "");
  json.plain("version", "");
  json.whole("bytes", upload.have);
  json.whole("have", upload.have);
  json.text_or_null("signer", {});
  json.plain("added", to_rfc3339(upload.touched));
  json.text_or_null("who", {});
  json.flag("complete", false);
  json.whole("used_by", 0);
}

HttpResponse list(Control& control, const RouteCall&) {
  const auto images = control.images().list();
  if (!images) return error_answer(images.error());
  const auto used = images_used(control.fleet());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.begin_list("images");
    for (const ImageStore::Image& image : *images) {
      json.begin();
      write_image(json, image, count_in(used, image.sha256));
      json.end();
    }
    for (const ImageStore::Upload& upload : control.images().uploads(control.now())) {
      json.begin();
      write_upload(json, upload);
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

void write_interfaces(JsonWriter& json, const Manifest& manifest) {
  json.begin_list("interfaces");
  for (const Manifest::Interface& each : manifest.interfaces) {
    json.begin();
    json.text("name", each.name);
    json.plain("contract", each.contract == Direction::receive    ? "rx"
                           : each.contract == Direction::transmit ? "tx"
                                                                  : "both");
    json.flag("optional", each.optional);
    json.text("words", each.words);
    json.end();
  }
  json.end_list();
}

HttpResponse show(Control& control, const RouteCall& call) {
  const std::string sha256(call.argument);
  const auto image = control.images().find(sha256);
  if (!image) {
    for (const ImageStore::Upload& upload : control.images().uploads(control.now())) {
      if (upload.sha256 != sha256) continue;
      return json_answer(json_text([&](JsonWriter& json) {
        json.begin();
        write_upload(json, upload);
        json.end();
      }));
    }
    return error_answer(image.error());
  }
  const auto manifest = control.images().manifest(sha256);
  if (!manifest) return error_answer(manifest.error());
  // Against one that may nothing: all that it may.
  Manifest nothing;
  nothing.limits = Manifest::Limits{0, 0, 0, 0, 0, 0, 0};
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_image(json, *image, count_in(images_used(control.fleet()), sha256));
    json.name("manifest");
    json.raw(manifest->to_json());
    json.name("schema");
    manifest->config_schema_json.empty() ? json.null() : json.raw(manifest->config_schema_json);
    json.name("defaults");
    json.raw(manifest->config_defaults_json);
    json.begin_list("permissions");
    for (const std::string& words : widened(nothing, *manifest))
      json.text(words);
    json.end_list();
    json.plain("permission_digest", permission_digest(*manifest));
    write_interfaces(json, *manifest);
    json.end();
  }));
}

HttpResponse take(Control& control, const RouteCall& call) {
  call.note.is_part = true;
  Query query(call.request);
  const std::uint64_t offset = query.count("offset", 0, 0, kMostOffset);
  if (query.refusal()) return *query.refusal();
  const auto have =
      control.images().take(std::string(call.argument), offset, call.request.body, control.now());
  if (!have) return error_answer(have.error());
  return json_answer(R"({"have":)" + std::to_string(*have) + '}');
}

HttpResponse complete(Control& control, const RouteCall& call) {
  const std::string sha256(call.argument);
  std::string signature;
  if (!call.request.body.empty()) {
    const auto body = parse_object(call.request.body, "the body", kLongestSignatureBody);
    if (!body) return error_answer(body.error());
    for (const auto& [key, value] : body->items()) {
      if (key != "signature" || !(value.is_string() || value.is_null()))
        return error_answer(400, "send {\"signature\": the text of its .minisig}");
      if (value.is_string()) signature = value.get<std::string>();
    }
  }
  const auto image =
      control.images().complete(sha256, signature, std::string(call.who), control.now());
  if (!image) return error_answer(image.error());
  std::string text = json_text([&](JsonWriter& json) {
    json.begin();
    write_image(json, *image, count_in(images_used(control.fleet()), sha256));
    json.end();
  });
  call.note.after = text;
  return json_answer(std::move(text));
}

HttpResponse remove(Control& control, const RouteCall& call) {
  const std::string sha256(call.argument);
  const auto users = image_users(control.fleet(), sha256);
  if (!users) return error_answer(users.error());
  if (!users->empty()) return error_answer(409, "it is in use: " + *users);
  if (auto done = control.images().remove(sha256); !done) return error_answer(done.error());
  return json_answer(R"({"status":"removed"})");
}

// A sensor gets what it is wished to have, and nothing else.
std::optional<HttpResponse> refuse_unwished(const Control& control, const RouteCall& call) {
  if (auto refused = refuse_others(control, call)) return refused;
  const Fleet::Found sensor = control.fleet().find(std::string(call.who));
  if (sensor && is_sha256(call.argument) && names_image(sensor->wish.instances(), call.argument))
    return std::nullopt;
  return error_answer(403, "the document of this sensor names no such image");
}

HttpResponse fetch(Control& control, const RouteCall& call) {
  if (auto refused = refuse_unwished(control, call)) return std::move(*refused);
  const std::string sha256(call.argument);
  const auto image = control.images().find(sha256);
  if (!image) return error_answer(image.error());
  auto file = control.images().file(sha256);
  if (!file) return error_answer(file.error());
  return file_answer(call.request, std::move(*file), image->bytes, sha256);
}

HttpResponse fetch_signature(Control& control, const RouteCall& call) {
  if (auto refused = refuse_unwished(control, call)) return std::move(*refused);
  return signature_answer(control.images(), std::string(call.argument));
}

constexpr RouteParameter kOffset[] = {{"offset", "integer", "where the piece begins; 0"}};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/images",
        .summary = "Instruments' images that the server hands on, uploads that are half here too",
        .handle = list,
        .response = "`{images: [{sha256, name, version, bytes, have, signer: id of the key that "
                    "its signature names, added, who, complete, used_by: sensors that shall have "
                    "it}]}`; of an upload bytes and have are what came",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/images/{sha256}",
        .summary = "One image, with what its author says of it",
        .handle = show,
        .response = "as of the list, with `manifest{}, schema{}: of its configuration, or null, "
                    "defaults{}, permissions: [words], permission_digest, interfaces: [{name, "
                    "contract: rx|tx|both, optional, words}]`; these not of an upload",
    },
    {
        .method = "PUT",
        .path = "/api/v1/fleet/images/{sha256}",
        .summary = "A piece of an image's file, at most 8 MiB",
        .role = Role::admin,
        .handle = take,
        .parameters = kOffset,
        .body = "the bytes from offset on",
        .response = "`{have}`: so many are there from the beginning; what was there is left out. "
                    "409 for a gap, 507 where there is no room. An upload that rests for a day is "
                    "forgotten",
        .most_body = ImageStore::kLongestPiece,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/images/{sha256}/complete",
        .summary = "Checks an upload: it is an image from then on",
        .role = Role::admin,
        .handle = complete,
        .body = "`{signature}`: the text of its .minisig, which replaces the one of an image that "
                "is there; without it sensors take the image only where they are told so",
        .response =
            "the image as of the list; 400 where SHA-256 or content is wrong: the upload is "
            "removed then",
        .most_body = kLongestSignatureBody,
    },
    {
        .method = "DELETE",
        .path = "/api/v1/fleet/images/{sha256}",
        .summary = "Removes an image or an upload",
        .role = Role::admin,
        .handle = remove,
        .response = "`{status}`; 409 while some document or rollout has it",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/self/images/{sha256}",
        .summary = "An image that the sensor's document names; by its key",
        .role = Role::ingest,
        .handle = fetch,
        .response = "its bytes; with Range 206 or 416, with If-Range by its ETag, the SHA-256",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/self/images/{sha256}/signature",
        .summary = "Its signature; by the sensor's key",
        .role = Role::ingest,
        .handle = fetch_signature,
        .response = "text of the .minisig; 404 where it is not signed",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_images{"fleet_images", kRoutes};
}
}  // namespace beaconry
