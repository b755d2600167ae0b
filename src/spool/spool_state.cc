#include "spool/spool_state.h"

#include <libdeflate.h>
#include <sys/random.h>

#include <cstring>

#include "spool/disk.h"

namespace beaconry {
namespace {

// Numbers are little-endian, as all machines that this is built for keep them.
struct Head {
  char magic[8];
  std::uint8_t incarnation[16];
  std::uint32_t checksum;
  std::uint32_t zero;
};
struct Slot {
  std::uint64_t generation, released, dropped, next;
  std::uint32_t checksum;
  std::uint32_t zero;
};
static_assert(sizeof(Head) == 32 && sizeof(Slot) == 40, "no padding: written as they are");

constexpr std::size_t kPlaceBytes = 64;
constexpr char kMagic[] = "BCNSPS01";

template <class Part>
std::uint32_t checksum_of(const Part& part) {
  return libdeflate_crc32(0, &part, offsetof(Part, checksum));
}

template <class Part>
bool take(const std::string& bytes, std::size_t place, Part& part) {
  if (bytes.size() < place * kPlaceBytes + sizeof part) return false;
  std::memcpy(&part, bytes.data() + place * kPlaceBytes, sizeof part);
  return part.checksum == checksum_of(part);
}

template <class Part>
std::string_view bytes_of(const Part& part) {
  return {reinterpret_cast<const char*>(&part), sizeof part};
}

Slot slot_of(const SpoolState::Values& values, std::uint64_t generation) {
  Slot slot{generation, values.released, values.dropped, values.next, 0, 0};
  slot.checksum = checksum_of(slot);
  return slot;
}

}  // namespace

Result<SpoolState> SpoolState::open(const std::string& folder, const SpoolIncarnation* known) {
  SpoolState state;
  state.path_ = folder + "/state";
  auto file = open_file(state.path_, O_RDWR);
  if (file) {
    const auto bytes = read_at(*file, state.path_, 0, 3 * kPlaceBytes);
    if (!bytes) return tl::unexpected<Error>(bytes.error());
    Head head;
    if (take(*bytes, 0, head) && std::memcmp(head.magic, kMagic, sizeof head.magic) == 0) {
      std::memcpy(state.incarnation_.data(), head.incarnation, sizeof head.incarnation);
      for (const std::size_t place : {std::size_t{1}, std::size_t{2}}) {
        Slot slot;
        if (!take(*bytes, place, slot) || slot.generation < state.generation_) continue;
        state.generation_ = slot.generation;
        state.values_ = {slot.released, slot.dropped, slot.next};
      }
      state.file_ = std::move(*file);
      return state;
    }
  } else if (file.error().kind != ErrorKind::not_found) {
    return tl::unexpected<Error>(file.error());
  }

  state.is_new_ = true;
  if (known != nullptr) {
    state.incarnation_ = *known;
  } else if (::getrandom(state.incarnation_.data(), state.incarnation_.size(), 0) !=
             static_cast<ssize_t>(state.incarnation_.size())) {
    return fail_errno("get random bytes for", folder);
  }
  Head head{};
  std::memcpy(head.magic, kMagic, sizeof head.magic);
  std::memcpy(head.incarnation, state.incarnation_.data(), sizeof head.incarnation);
  head.checksum = checksum_of(head);
  std::string bytes(3 * kPlaceBytes, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  const Slot slot = slot_of(state.values_, 0);
  std::memcpy(bytes.data() + kPlaceBytes, &slot, sizeof slot);

  const std::string fresh = state.path_ + ".new";
  auto made = open_file(fresh, O_RDWR | O_CREAT | O_TRUNC);
  if (!made) return tl::unexpected<Error>(made.error());
  state.file_ = std::move(*made);
  auto done = write_at(state.file_, fresh, 0, bytes);
  if (done) done = sync_file(state.file_, fresh);
  if (!done) return tl::unexpected<Error>(done.error());
  if (::rename(fresh.c_str(), state.path_.c_str()) != 0) return fail_errno("make", state.path_);
  done = sync_folder(folder);
  if (!done) return tl::unexpected<Error>(done.error());
  return state;
}

Result<void> SpoolState::write(const Values& values) {
  const Slot slot = slot_of(values, generation_ + 1);
  const std::uint64_t place = 1 + slot.generation % 2;
  auto done = write_at(file_, path_, place * kPlaceBytes, bytes_of(slot));
  if (!done) return done;
  ++generation_;
  values_ = values;
  return {};
}

}  // namespace beaconry
