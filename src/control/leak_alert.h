#pragma once
#include <string>
#include <string_view>

#include "alert/alert.h"
#include "leak/leak_book.h"

namespace beaconry {

// What a change means for people. The id comes of the leak and of which of its changes it is: the
// same change found again, because a crash came in between, is the same alert.
Alert leak_alert(const LeakBook::Change& change, std::string_view probe, Timestamp now);
// The same of a probe that fell silent, is heard again, or calls though it was retired.
Alert probe_alert(const LeakBook::ProbeChange& change, std::string_view probe, Timestamp now);

// "new", "reopened", "closed", "widened", "two_way".
std::string_view change_word(LeakChange change);

Severity severity_of(const Leak& leak);

}  // namespace beaconry
