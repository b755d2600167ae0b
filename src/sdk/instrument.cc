#include "sdk/instrument.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "sdk/identity.h"
#include "sdk/instrument_loop.h"
#include "sdk/outbox.h"

namespace beaconry::sdk {

int run(const Handlers& handlers) {
  return run(handlers, Places{});
}

int run(const Handlers& handlers, const Places& places) {
  auto own = read_identity(places.run, places.bus);
  if (!own) {
    log_error(own.error().message());
    return 1;
  }
  // Read as a file: a signal then comes between two handlers, never within one.
  sigset_t ends, before;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, &before);
  int status = 1;
  {
    const Fd signals(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
    InstrumentLoop loop(handlers, std::move(*own),
                        Outbox::open({places.persistent, places.transient}));
    status = loop.serve(signals.get());
    // Else it would end us by itself once it is no longer held back.
    signalfd_siginfo signal;
    while (::read(signals.get(), &signal, sizeof signal) == sizeof signal) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

}  // namespace beaconry::sdk
