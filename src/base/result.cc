#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace beaconry {

tl::unexpected<Error> fail_errno(std::string operation, std::string subject) {
  const int code = errno;
  return fail(code == ENOENT ? ErrorKind::not_found : ErrorKind::io, std::move(operation),
              std::move(subject), std::generic_category().message(code));
}

}  // namespace beaconry
