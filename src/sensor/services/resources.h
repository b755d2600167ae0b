#pragma once
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/messages.h"
#include "sensor/reported_state.h"
#include "sensor/services/resource_check.h"
#include "sensor/services/resource_entry.h"

namespace beaconry {

// Files that instruments wish for: ordered from the downloader instrument (one download for all
// that want the same), pulled out of it, checked, put under /resources, confirmed by the
// instrument's health or taken back. Everything is on disk before it is acted on. The daemon's
// thread; checking a file is done on another.
class Resources {
 public:
  static constexpr std::size_t kMostWishes = 16;  // an instance
  struct Options {
    std::string folder;       // STATE/resources
    std::string keys_folder;  // *.pub
    // False: it could not be said.
    std::function<bool(const std::string& downloader, const FetchOrder& order)> order;
    std::function<void(const std::string& instance, const to_instrument::ResourceState& state)>
        state;
    std::function<void(const std::string& instance, const std::string& word,
                       const std::string& message, const std::string& data_json)>
        tell;
    std::function<void(const std::string& instance, const std::string& why)> restart;
    std::function<void(const std::string& instance, const std::string& path, const std::string& to,
                       std::uint64_t most_bytes, std::function<void(Result<void>)> done)>
        pull;
    std::function<bool(const std::string& instance, Timestamp since)> is_healthy_since;
    // The text is a value in the configuration that the administrator wrote for the instance.
    std::function<bool(const std::string& instance, const std::string& text)> is_written;
    std::function<std::string()> downloader;  // one that runs; empty: none does
  };
  explicit Resources(Options options);
  ~Resources();
  Result<void> open();

  // Before a start: its folder, with what is installed in it.
  Result<std::string> prepare(const std::string& instance, Timestamp steady, Timestamp now);
  void started(const std::string& instance, bool taken_over, std::chrono::seconds healthy_within,
               Timestamp steady, Timestamp now);
  void stopping(const std::string& instance);  // on purpose: its end says nothing of its files
  // One that ends by itself with a new file gets the one before at once.
  void stopped(const std::string& instance, Timestamp steady, Timestamp now);
  void removed(const std::string& instance);

  // Another configuration: what failed may go now.
  void configured(const std::string& instance, Timestamp steady);
  void want(const std::string& instance, const ResourceWish& wish, Timestamp steady, Timestamp now);
  void fetched(const std::string& downloader, const FetchResult& result, Timestamp steady,
               Timestamp now);
  void work(Timestamp steady, Timestamp now);
  std::optional<Result<void>> fetch_now(const std::string& instance, Timestamp steady);

  std::vector<InstanceReport::Resource> report(const std::string& instance) const;
  std::vector<Health> health(const std::string& instance) const;

 private:
  struct Holder {
    std::map<std::string, ResourceEntry> entries;
    std::set<std::string> wished;  // in this run of the instrument
    std::chrono::seconds healthy_within{60};
    bool running = false, changed = false;
    bool prepared = false;  // for a start of which is not known yet what came of it
    bool stopping = false;
  };
  // One on its way for all that want it.
  struct Download {
    FetchOrder order;
    std::string downloader, etag;
    std::vector<std::pair<std::string, std::string>> wanted_by;  // instance, name
    Timestamp deadline{};
    bool pulling = false;
    std::string file, signature;  // of ours
    std::optional<std::future<CheckedResource>> check;
  };

  Holder& holder(const std::string& instance, Timestamp steady, Timestamp now);
  ResourceEntry* entry(const std::string& instance, const std::string& name);
  ResourceStore store(const std::string& instance) const;
  void save(const std::string& instance);
  void say_state(const std::string& instance, const ResourceEntry& entry);
  void refuse_foreign(Timestamp steady, Timestamp now);
  void order_due(Timestamp steady, Timestamp now);
  void follow_downloads(Timestamp steady, Timestamp now);
  void pull(Download& download, const FetchResult& result);
  void check(Download& download);
  void fail_all(Download& download, const std::string& why, Timestamp steady, Timestamp now);
  void take(const Download& download, const CheckedResource& checked, Timestamp steady,
            Timestamp now);
  void install(const std::string& instance, ResourceEntry& entry, const std::string& sha256,
               const std::string& etag, Timestamp steady, Timestamp now);
  void confirm(const std::string& instance, Holder& holder, Timestamp steady, Timestamp now);
  void roll_back(const std::string& instance, ResourceEntry& entry, const std::string& why,
                 Timestamp steady, Timestamp now);
  void clean(const std::string& instance);
  void drop_files(const Download& download) const;

  Options options_;
  std::map<std::string, Holder> holders_;
  std::map<std::string, Download> downloads_;  // by the order's uuid
  std::shared_ptr<bool> alive_;                // for answers that come after our end
  Timestamp steady_{}, now_{};
};

}  // namespace beaconry
