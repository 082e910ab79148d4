// The application key and the master key of a service, compared in constant time.
#pragma once

#include <map>
#include <mutex>

#include "http/request.h"
#include "tenant/tenants.h"

namespace mandate::identity {

/// What a caller showed. A valid token does not stand for the application key; the master key stands for everything.
struct KeysShown {
  bool application = false, master = false;
};

/// Opens the sealed keys of services, each once. Thread-safe.
class ShownKeys {
 public:
  /// Without a clock, keys that a rotation replaced prove nothing.
  explicit ShownKeys(const tenant::Tenants& tenants, const Clock* clock = nullptr) : tenants_(tenants), clock_(clock) {}
  /// What X-ZUMO-APPLICATION and X-ZUMO-MASTER prove. A wrong key proves nothing and is no error; the previous master key
  /// counts as long as the service has one. Code::corrupt when a key cannot be opened.
  Result<KeysShown> shown(const tenant::Service& service, const http::Request& request);

 private:
  Result<bool> equal(const tenant::Service& service, std::string_view field, const std::string& sealed, std::string_view given);

  Result<bool> retired(const tenant::Service& service, std::string_view field, std::string_view given);

  const tenant::Tenants& tenants_;
  const Clock* clock_;
  std::mutex mutex_;
  std::map<std::string, Secret, std::less<>> opened_;  ///< by sealed text, which is another one for every place
};

}  // namespace mandate::identity
