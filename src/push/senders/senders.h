// The platforms' services: who we are there, and one request per message.
#pragma once

#include <map>
#include <mutex>

#include "base/random.h"
#include "jose/jwk.h"
#include "push/senders/sender.h"
#include "tenant/tenants.h"

namespace mandate::push {

/// Thread-safe; keeps what proves who we are until shortly before it ends, by the sealed text it was made from.
class Senders {
 public:
  Senders(http::Fetch& fetch, const tenant::Vault& vault, const Clock& clock, Random& random)
      : fetch_(fetch), vault_(vault), clock_(clock), random_(random) {}

  /// not_found with a hint for the owner when the service cannot send there: not set up, or the platform has ended.
  Result<void> can_send(const tenant::Service& service, Platform platform) const;
  /// Gets what proves who we are, so that a batch of messages does not ask for it many times. Errors are told again by
  /// deliver().
  Task<void> prepare(tenant::Here here, const tenant::Service* service, Platform platform);
  /// Never an Error of its own: whatever happens is an outcome.
  Task<Delivered> deliver(tenant::Here here, const tenant::Service* service, Message message);

 private:
  struct Proof {
    std::string text;
    Millis until = 0;
  };
  struct Account {
    std::string project, email, token_uri;
    std::optional<jose::Key> key;
  };
  std::optional<std::string> known(const std::string& name);
  void keep(const std::string& name, std::string text, Millis until);
  void drop(const std::string& name);
  Result<Secret> secret(const tenant::Service& service, const std::string& sealed, std::string_view path) const;

  Result<std::string> apns_proof(const tenant::Service& service);
  Task<Delivered> to_apns(const tenant::Service* service, Message message);
  Result<Account> account_of(const tenant::Service& service) const;
  /// "project token".
  Task<std::string> fcm_proof(const tenant::Service* service);
  Task<Delivered> to_fcm(const tenant::Service* service, Message message);
  Task<std::string> wns_proof(const tenant::Service* service);
  Task<Delivered> to_wns(const tenant::Service* service, Message message);
  Result<std::string> webpush_proof(const tenant::Service& service, std::string_view origin);
  Task<Delivered> to_webpush(const tenant::Service* service, Message message);

  http::Fetch& fetch_;
  const tenant::Vault& vault_;
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, Proof, std::less<>> proofs_;
};

/// What FCM v1 takes for one device, of a payload in its own form or in that of the old GCM. bad_request.
Result<std::string> fcm_body(std::string_view payload, std::string_view token);

}  // namespace mandate::push
