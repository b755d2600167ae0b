#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "sensor/services.h"
#include "sensor/services/catch_up.h"
#include "sensor/services/config_delivery.h"
#include "sensor/services/health_check.h"
#include "sensor/services/retention_watch.h"
#include "sensor/services/talk_limit.h"

namespace beaconry {

// What the services keep of one instance.
struct Member {
  Member(const Services::Instance& of, const std::string& sensor)
      : instance(of),
        config(of.name + "@" + sensor, !of.manifest.config_schema_json.empty()),
        health(of.name, of.manifest.health_every, of.manifest.health_deadline) {
    observed.name = of.name;
  }

  Services::Instance instance;
  // The turn of work() in which a start of it was prepared first; one that is started without, or
  // in the same turn, was running already.
  std::optional<std::uint64_t> prepared;
  bool running = false;
  ConfigDelivery config;
  std::set<std::string> written;  // text values of the wished configuration, if somebody wrote it
  HealthCheck health;
  RetentionWatch retention;
  InstanceReport observed;  // what the platform saw: interfaces, storage, state; and the health
  TalkLimit talk{instance.manifest.limits.events_per_second};
  Timestamp next_malformed_word{}, next_share_word{};  // steady
  CatchUp catch_up;                                    // of what it relays
  bool there = false;  // said something in this run, or was taken over

  // What was told of its health last; survives a restart of the platform.
  struct Told {
    HealthState state = HealthState::unknown;
    std::string cause;
    Timestamp since{};
  } told;
  Timestamp told_at{};  // steady
};

}  // namespace beaconry
