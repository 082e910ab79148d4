// Who wants to be told, and how: V1's registrations and V2's installations, kept as rows of one shape.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/task.h"
#include "push/platform.h"
#include "store/store.h"

namespace mandate::push {

inline constexpr std::size_t kMostTemplateBytes = 8 << 10, kMostTemplates = 20, kMostTiles = 20, kMostPerDevice = 100;

/// One way to tell one device something. Without a template it takes native messages of its platform.
struct Registration {
  std::string id;
  std::string installation;  ///< of V2, or X-ZUMO-INSTALLATION-ID of V1; may be empty
  Platform platform = Platform::apns;
  std::string handle;
  std::string user_id;
  std::vector<std::string> tags;
  std::string template_name, template_body;
  std::string expiry;    ///< apns: an expression or a date
  JsonObject headers;    ///< wns, mpns: name → text, values may be expressions
  JsonObject variables;  ///< what the device adds to the properties of every message
};

/// A V2 installation as it was sent. Its rows are made by Registrations::install.
struct Installation {
  struct Template {
    std::string body, expiry;
    JsonObject headers;
    std::vector<std::string> tags;
  };
  struct Tile {
    std::string handle;
    std::map<std::string, Template> templates;
  };
  std::string id, handle;
  Platform platform = Platform::apns;
  std::map<std::string, Template> templates;
  std::map<std::string, Tile> tiles;
  bool tags_given = false;        ///< else those of before stay
  std::vector<std::string> tags;  ///< without those that name a user or the installation
  std::string user_id;            ///< empty: nobody is signed in
  JsonObject variables;
};

/// Thread-safe. `days`: how long a registration lasts that is not renewed; 0 = for ever.
class Registrations {
 public:
  Registrations(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

  /// Gives out an id, good for a day.
  Task<std::string> reserve(store::Store& store, std::string service);
  /// Writes what belongs to an id that was given out. not_found when it is gone; too_many_requests when the device has
  /// too many.
  Task<void> write(store::Store& store, std::string service, Registration registration, std::int64_t days);
  Task<std::vector<Registration>> of_handle(store::Store& store, std::string service, std::string handle);
  /// Idempotent.
  Task<void> remove(store::Store& store, std::string service, std::string id);

  Task<void> install(store::Store& store, std::string service, Installation installation, std::int64_t days);
  Task<void> uninstall(store::Store& store, std::string service, std::string id);

  /// Registrations in the order of their ids behind `after`, at most `most`.
  Task<std::vector<Registration>> page(store::Store& store, std::string service, std::string after, std::int64_t most);
  /// Those with these ids, in their order.
  Task<std::vector<Registration>> by_id(store::Store& store, std::string service, std::vector<std::string> ids);

 private:
  Millis end_of(std::int64_t days) const { return days > 0 ? clock_.now_ms() + days * 86'400'000 : 0; }

  const Clock& clock_;
  Random& random_;
};

/// The mutations by which every registration of a device goes, and is told of in the feedback.
Task<std::vector<store::Mutation>> forget_device(store::Store& store, std::string service, Platform platform, std::string handle, Millis now);
/// Removes registrations that ended, and their tags. Some at a time; gives how many.
Task<std::int64_t> sweep_registrations(store::Store& store, Millis now);

/// The row of "push_registrations" without its tags' rows; what both dialects read.
Registration registration_of(const store::Row& row);

}  // namespace mandate::push
