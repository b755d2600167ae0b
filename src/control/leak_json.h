#pragma once
#include <string>
#include <string_view>

#include "control/observations.h"
#include "hunt/output/json_writer.h"
#include "leak/leak.h"

namespace beaconry {

// The members of a leak as /api/v1/leaks shows it, words included: within an object that the caller
// began and ends. `decision`: of triage, "benign" or "acknowledged"; empty: none.
void write_leak(JsonWriter& json, const Leak& leak, std::string_view probe,
                std::string_view decision);

// One observation as /api/v1/observations shows it: an object.
void write_observation(JsonWriter& json, const Observations::Kept& kept, std::string_view probe);

// "open" or "closed".
std::string_view state_word(const Leak& leak);
// How long it has been open this time, or was.
Duration open_for(const Leak& leak);

// The words of an observation's enumerators: "payload", "quoted", ...; "authentic", ...
std::string_view to_string(Carrier carrier);
std::string_view to_string(Authenticity authenticity);

}  // namespace beaconry
