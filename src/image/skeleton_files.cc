#include "image/skeleton_files.h"

namespace beaconry {
namespace {

constexpr const char* kCppManifest = R"(# Every key: docs/writing-an-instrument.md.
name: NAME
version: "0.1"
description: Emits an event every so often
command: [NAME]
events: [beat]
limits:
  memory: 32M
  processes: 8
config:
  schema:
    type: object
    additionalProperties: false
    properties:
      every:
        description: Seconds between two events
        type: integer
        minimum: 1
        maximum: 86400
  defaults: {every: 60}
)";

constexpr const char* kCppProgram = R"(// NAME: emits an event every so often.
#include <chrono>
#include <nlohmann/json.hpp>

#include <sdk/instrument.h>

int main() {
  using namespace beaconry;
  using Clock = std::chrono::steady_clock;
  std::chrono::seconds every{60};
  Clock::time_point next = Clock::now();

  sdk::Handlers handlers;
  // It fits the schema in manifest.yaml; what does not work is an error, and is rolled back.
  handlers.configure = [&](sdk::Instrument&, const nlohmann::json& config) -> Result<void> {
    every = std::chrono::seconds(config.value("every", 60));
    return {};
  };
  handlers.health = [](sdk::Instrument& instrument) {
    Health health;
    health.name = instrument.identity().instance;
    health.state = HealthState::healthy;
    return health;
  };
  // handlers.retain deletes what is older than it is told to; here is nothing stored.
  handlers.tick = [&](sdk::Instrument& instrument) {
    if (Clock::now() < next) return;
    next = Clock::now() + every;
    // Full: the SDK counts it and tells.
    (void)instrument.emit("beat", "It beats", nlohmann::json::object());
  };
  return sdk::run(handlers);
}
)";

constexpr const char* kCppCmake = R"(# Part of a build of Beaconry: see build.
beaconry_instrument(NAME SOURCES instrument.cc)
)";

constexpr const char* kCppBuild = R"SH(#!/bin/sh
# Builds the program, statically linked, and packs its image.
#
#   BEACONRY_SOURCE=/path/to/beaconry ./build [OPTION...]
#
# Options go to `beaconry instrument build`: --key instruments.key signs it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${BEACONRY_SOURCE:?must name the folder with the source of Beaconry, which has the SDK}"
made=$here/.build
cmake -S "$BEACONRY_SOURCE" --preset static -B "$made" -DBEACONRY_INSTRUMENTS="$here"
cmake --build "$made" --target stage_NAME
program=$made/instruments/staged/NAME/NAME
exec "${BEACONRY:-beaconry}" instrument build "$here" --file "$program:/instrument/NAME" "$@"
)SH";

constexpr const char* kIgnored = ".build/\n*.instrument\n*.minisig\n*.sbom.json\n*.key\n";

constexpr const char* kPythonManifest = R"(# Every key: docs/writing-an-instrument.md.
name: NAME
version: "0.1"
description: Emits an event every so often
command: [instrument.py]
# Of Debian 12, on which it is built: apt-get install python3-paho-mqtt
programs: [/usr/bin/python3]
packages: [libpython3.11-minimal, libpython3.11-stdlib, python3-paho-mqtt]
events: [beat]
limits:
  memory: 64M
  processes: 8
  transient: 8M
config:
  schema:
    type: object
    additionalProperties: false
    properties:
      every:
        description: Seconds between two events
        type: number
        minimum: 1
  defaults: {every: 60}
)";

constexpr const char* kPythonProgram = R"PY(#!/usr/bin/python3
"""NAME: emits an event every so often. The protocol is docs/formats/instrument.md."""
import datetime, json, os, signal, socket, sys, time, uuid
import paho.mqtt.client as mqtt

ME = json.load(open("/run/instrument/identity.json"))
OUTBOX = "/transient-data/outbox.json"
IN, OUT = f"i/{ME['instance']}/in", f"i/{ME['instance']}/out"


class UnixClient(mqtt.Client):  # paho 1.6 knows TCP alone; all else is the same
    def _create_socket_connection(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(ME["bus"]["socket"])
        return connection


def configure(config):  # it fits the schema; raise where it does not work
    global every, next_beat
    every = config.get("every", 60)
    next_beat = min(next_beat, time.monotonic() + every)


def health():  # healthy, degraded or failed; with cause, evidence and fix where it is not healthy
    return {"name": ME["instance"], "state": "healthy"}


def retain(before):  # delete what is older: how many, how many bytes
    return 0, 0


def emit(word, text, data):
    waiting.append({"uuid": str(uuid.uuid4()), "type": f"instruments.{ME['instrument']}.ev.{word}",
                    "timestamp": now(), "message": text, "data": data})
    keep()
    say("publish", event=waiting[-1])


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")


def say(kind, **fields):
    client.publish(OUT, json.dumps({"kind": kind, **fields}), qos=1)


def keep():  # on disk before it is said: the platform's acknowledgement alone takes it out
    with open(OUTBOX + ".new", "w") as file:
        json.dump(waiting, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(OUTBOX + ".new", OUTBOX)


def connected(*_):
    client.subscribe(IN, qos=1)
    say("hello", version=ME["version"], sdk="python")
    for event in waiting:
        say("publish", event=event)


def heard(_client, _data, packet):
    global waiting
    message = json.loads(packet.payload)
    kind = message["kind"]
    if kind == "configure":
        say("configured", version=message["version"], state="APPLYING")
        try:
            configure(message["config"])
            say("configured", version=message["version"], state="APPLIED")
        except Exception as error:
            say("configured", version=message["version"], state="FAILED", reason=str(error))
    elif kind == "ask_health":
        say("health", uuid=message["uuid"], health=health())
    elif kind == "retain":
        items, count = retain(message["before"])
        say("receipt", uuid=message["uuid"], before=message["before"], items=items, bytes=count)
    elif kind in ("acknowledge", "refuse"):
        waiting = [event for event in waiting if event["uuid"] not in message["events"]]
        keep()
    elif kind == "stop":
        sys.exit(0)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
waiting = json.load(open(OUTBOX)) if os.path.exists(OUTBOX) else []
every, next_beat = 60, time.monotonic()
client = UnixClient(ME["instance"])
client.username_pw_set(ME["bus"]["user"], ME["bus"]["password"])
client.on_connect, client.on_message = connected, heard
client.connect_async("bus")
state = mqtt.MQTT_ERR_NO_CONN
while True:
    try:
        state = client.reconnect() if state else client.loop(timeout=1)
    except OSError:  # there is no bus just now
        time.sleep(0.2)
    if time.monotonic() >= next_beat and len(waiting) < 1000:
        next_beat = time.monotonic() + every
        emit("beat", "It beats", {})
)PY";

constexpr const char* kPythonBuild = R"SH(#!/bin/sh
# Packs the image. Options go to `beaconry instrument build`: --key instruments.key signs it.
set -eu
exec "${BEACONRY:-beaconry}" instrument build "$(dirname "$0")" "$@"
)SH";

constexpr SkeletonFile kCpp[] = {
    {"manifest.yaml", 0666, kCppManifest}, {"instrument.cc", 0666, kCppProgram},
    {"CMakeLists.txt", 0666, kCppCmake},   {"build", 0777, kCppBuild},
    {".gitignore", 0666, kIgnored},
};
constexpr SkeletonFile kPython[] = {
    {"manifest.yaml", 0666, kPythonManifest},
    {"instrument.py", 0777, kPythonProgram},
    {"build", 0777, kPythonBuild},
    {".gitignore", 0666, kIgnored},
};

}  // namespace

std::span<const SkeletonFile> cpp_skeleton() {
  return kCpp;
}
std::span<const SkeletonFile> python_skeleton() {
  return kPython;
}

}  // namespace beaconry
