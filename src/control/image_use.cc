#include "control/image_use.h"

#include <set>

#include "control/answer.h"
#include "fleet/document_instances.h"

namespace beaconry {
namespace {

bool names_image(const LayerBook::Text& document, const std::string& sha256) {
  return document && names_image(instances_in(*document), sha256);
}

}  // namespace

std::map<std::string, std::size_t> images_used(const Fleet& fleet) {
  // Sensors of equal wishes share one document.
  std::map<std::shared_ptr<const MergedLayers>, std::size_t> documents;
  for (const Fleet::Found& sensor : fleet.sensors()) {
    if (sensor->wish.merged) ++documents[sensor->wish.merged];
  }
  std::map<std::string, std::size_t> used;
  for (const auto& [merged, sensors] : documents) {
    std::set<std::string> images;
    for (const DocumentInstance& one : merged->instances)
      images.insert(one.image);
    for (const std::string& image : images)
      used[image] += sensors;
  }
  return used;
}

Result<std::string> image_users(const Fleet& fleet, const std::string& sha256) {
  std::size_t count = 0;
  std::string first;
  const auto book = fleet.book();
  for (const Fleet::Found& sensor : fleet.sensors()) {
    const bool wished = names_image(sensor->wish.instances(), sha256) ||
                        names_image(book->document("sensor:" + sensor->fingerprint), sha256);
    if (wished && ++count == 1) first = sensor->name;
  }
  if (count > 0) {
    return std::to_string(count) + (count == 1 ? " sensor shall" : " sensors shall") +
           " have it, the first of them " + first;
  }
  if (names_image(book->document("fleet"), sha256))
    return std::string("the fleet's document has it");
  for (const LayerBook::Group& group : book->groups()) {
    if (names_image(group.json, sha256))
      return "the document of group " + group.group.name + " has it";
  }
  for (const FleetRollouts::Summary& summary : fleet.rollouts().list()) {
    using Phase = Rollout::Phase;
    if (summary.phase == Phase::reverted || summary.phase == Phase::aborted) continue;
    const auto rollout = fleet.rollouts().show(summary.id);
    if (!rollout) return tl::unexpected<Error>(rollout.error());
    const bool open = summary.phase != Phase::done || summary.count(Rollout::Stage::waiting) > 0 ||
                      summary.count(Rollout::Stage::changing) > 0;
    if (open && (names_image(instances_in(rollout->before), sha256) ||
                 names_image(instances_in(rollout->after), sha256)))
      return "rollout " + std::to_string(summary.id) + " has it";
  }
  return std::string();
}

HttpResponse signature_answer(const ImageStore& images, const std::string& sha256) {
  auto signature = images.signature(sha256);
  if (!signature) return error_answer(signature.error());
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = std::move(*signature);
  return response;
}

}  // namespace beaconry
