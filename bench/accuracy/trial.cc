#include "accuracy/trial.h"

#include "accuracy/detectors.h"

namespace beaconry::accuracy {

Result<Cards> try_all(const std::string& program, const Input& input) {
  const auto own = beaconry_claims(program, input.paths);
  if (!own) return tl::unexpected<Error>(own.error());
  constexpr double kHour = 3600;
  constexpr double kEver = 1e9;
  Cards cards;
  cards[0] = score(*own, input.labels);
  cards[1] = score(predecessor_claims(input.connections, kHour), input.labels);
  cards[2] = score(predecessor_claims(input.connections, kEver), input.labels);
  cards[3] = score(rita_claims(input.connections, 0.70), input.labels);
  cards[4] = score(rita_claims(input.connections, 0.85), input.labels);
  return cards;
}

}  // namespace beaconry::accuracy
