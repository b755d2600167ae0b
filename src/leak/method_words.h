#pragma once
#include <string>
#include <string_view>

#include "leak/leak.h"

namespace beaconry {

// How one speaks of what a method sent, and why such a thing gets through a gateway.
struct MethodWords {
  MethodId method{};
  std::string_view noun;  // "UDP datagrams"
  std::string_view why;   // one sentence: why a gateway lets it pass
};
const MethodWords& words_of(MethodId method);

// "53, 443, 1000-2000 and 12 more"; empty where there are none. nft takes it where nothing is left
// out.
std::string port_list(const Leak& leak, std::size_t most);
std::string variant_list(const Leak& leak, std::size_t most);
// "10.0.1.50"; of a bounce token "an address that ends in .50"; or empty.
std::string via_words(const Leak& leak);

// What to set where: describe() hands it on.
std::string fix_of(const Leak& leak);

}  // namespace beaconry
