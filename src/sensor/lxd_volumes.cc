#include "sensor/lxd_volumes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sensor/lxd_spec.h"

namespace beaconry::lxd {
namespace {

constexpr std::chrono::seconds kLook{10}, kChange{30};

}  // namespace

std::string Volumes::at(const std::string& name) const {
  return "/1.0/storage-pools/" + pool_ + "/volumes/custom/" + name;
}

// One of ours; not_found where there is none.
Result<Json> Volumes::one(const std::string& name) const {
  if (auto fine = check_volume_name(name); !fine) return tl::unexpected(fine.error());
  auto got = lxd_.get(at(name), kLook);
  if (got && !is_ours(object_at(*got, "config")))
    return fail(ErrorKind::usage, "", "",
                "there is a volume of that name that is not ours: rename or remove it");
  return got;
}

Result<void> Volumes::make(const std::string& name, std::uint64_t bytes) const {
  const auto no = [&](Error error) {
    return named(Result<void>(tl::unexpected(std::move(error))), "make volume", name);
  };
  const Json config = {{"size", std::to_string(bytes)}, {std::string(kOurs), "1"}};
  const auto found = one(name);
  if (!found && found.error().kind != ErrorKind::not_found) return no(found.error());
  if (!found) {
    const auto made =
        lxd_.change("POST", "/1.0/storage-pools/" + pool_ + "/volumes/custom",
                    {{"name", name}, {"content_type", "filesystem"}, {"config", config}}, kChange);
    if (!made) return no(made.error());
    return {};
  }
  if (text_at(object_at(*found, "config"), "size") == std::to_string(bytes)) return {};
  Json wanted = object_at(*found, "config");
  wanted.update(config);
  const auto changed =
      lxd_.change("PUT", at(name),
                  {{"config", wanted}, {"description", text_at(*found, "description")}}, kChange);
  if (!changed) return no(changed.error());
  return {};
}

Result<void> Volumes::remove(const std::string& name) const {
  const auto no = [&](Error error) {
    return named(Result<void>(tl::unexpected(std::move(error))), "remove volume", name);
  };
  const auto found = one(name);
  if (!found && found.error().kind == ErrorKind::not_found) return {};
  if (!found) return no(found.error());
  const auto done = lxd_.change(make_request("DELETE", at(name)), kChange);
  if (!done && done.error().kind != ErrorKind::not_found) return no(done.error());
  return {};
}

Result<std::vector<std::string>> Volumes::list() const {
  using List = Result<std::vector<std::string>>;
  const auto got = lxd_.get("/1.0/storage-pools/" + pool_ + "/volumes/custom?recursion=1", kLook);
  if (!got) return named(List(tl::unexpected(got.error())), "list volumes of pool", pool_);
  std::vector<std::string> names;
  if (!got->is_array()) return names;
  for (const Json& volume : *got) {
    if (is_ours(object_at(volume, "config"))) names.push_back(text_at(volume, "name"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::uint64_t> Volumes::used(const std::string& name) const {
  using Bytes = Result<std::uint64_t>;
  if (auto fine = check_volume_name(name); !fine) return tl::unexpected(fine.error());
  const auto got = lxd_.get(at(name) + "/state", kLook);
  if (!got) return named(Bytes(tl::unexpected(got.error())), "look at volume", name);
  return number_at(object_at(*got, "usage"), "used");
}

Result<PoolSpace> Volumes::space() const {
  const auto got = lxd_.get("/1.0/storage-pools/" + pool_ + "/resources", kLook);
  if (!got) return named(Result<PoolSpace>(tl::unexpected(got.error())), "look at pool", pool_);
  const Json& space = object_at(*got, "space");
  PoolSpace out;
  out.total = number_at(space, "total");
  out.used = number_at(space, "used");
  return out;
}

}  // namespace beaconry::lxd
