#include "sensor/fleet/kept_document.h"

#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry {

KeptDocument::Looked KeptDocument::look(std::string_view message) const {
  const std::uint64_t least = document_ ? document_->version : 0;
  Looked looked{check_signed_document(message, options_.key, options_.sensor, least), {}};
  if (!looked.checked.document) return looked;
  auto wish = read_fleet_wish(looked.checked.document->document, options_.allow_unsigned);
  if (!wish) {
    looked.checked = {DocumentRefusal::malformed, wish.error().message(), std::nullopt};
    return looked;
  }
  wish->server = options_.server;
  looked.wish = std::move(*wish);
  return looked;
}

KeptDocument::Looked KeptDocument::look_at(std::string_view message) const {
  const std::lock_guard lock(mutex_);
  return look(message);
}

void KeptDocument::recall() {
  const std::lock_guard lock(mutex_);
  auto message = read_small_file(file(), kLongestSignedDocument);
  if (!message) {
    if (message.error().kind != ErrorKind::not_found) log_error(message.error().message());
    return;
  }
  Looked looked = look(*message);
  if (!looked.wish) {
    log_warning("The server's document of before is not obeyed any more: " + looked.checked.words +
                "; what it made holds until the next one");
    return;
  }
  message_ = std::move(*message);
  document_ = std::move(looked.checked.document);
  wish_ = std::move(looked.wish);
}

Result<KeptDocument::Kept> KeptDocument::keep(std::string_view message, Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (document_ && message == message_) {
    refusal_ = {};
    return Kept{{}, {}, false, document_->version};
  }
  Looked looked = look(message);
  if (!looked.wish) {
    ++refused_[std::string(to_string(looked.checked.refusal))];
    refusal_ = {looked.checked.words, now};
    return Kept{looked.checked.refusal, refusal_.words, false, document_ ? document_->version : 0};
  }
  if (auto kept = replace_file(file(), message); !kept)
    return tl::unexpected<Error>(std::move(kept.error()));
  message_ = message;
  document_ = std::move(looked.checked.document);
  wish_ = std::move(looked.wish);
  refusal_ = {};
  return Kept{{}, {}, true, document_->version};
}

std::uint64_t KeptDocument::version() const {
  const std::lock_guard lock(mutex_);
  return document_ ? document_->version : 0;
}

std::optional<FleetWish> KeptDocument::wish() const {
  const std::lock_guard lock(mutex_);
  return wish_;
}

std::string KeptDocument::origin_json() const {
  const std::lock_guard lock(mutex_);
  return document_ ? document_->origin : "{}";
}

std::map<std::string, std::uint64_t> KeptDocument::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

KeptDocument::Refusal KeptDocument::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

}  // namespace beaconry
