// What scripts may call of push: the parent's half of `push.*` (mobile-backend-wire 5.8). host/push.js is the other.
#pragma once

#include "push/registrations.h"
#include "push/senders/senders.h"
#include "push/sends.h"

namespace mandate::push {

/// One for the house; thread-safe. Methods and their arguments:
///
///   push.send      {tags, payload: {…}, headers?}               properties for everybody's templates → {"id"}
///   push.platform  {platform, to, payload: object or text, headers?, tags?: true}
///                  with `tags` or MS_EnableExternalPush `to` are tags → {"id"}; else device handles → {"id"?, "results":[…]}
///   push.feedback  {platform}                                   → [{"deviceToken","timeSent"}]
///
/// `tags`: null for everybody, an expression, or a list that means any of them. A handle is text or a list of texts.
/// Up to 20 handles are tried at once, so that a script hears of a device that is gone: the error of a single handle has
/// the platform's status (410 …) as `statusCode`'s nearest code of ours. What may come right later, and more handles, are
/// filed for the runner. Errors: bad_request, not_found (not set up, or the platform has ended), forbidden, those of the
/// store.
class ScriptCalls {
 public:
  ScriptCalls(Sends& sends, Senders& senders, Random& random, const Clock& clock) : sends_(sends), senders_(senders), random_(random), clock_(clock) {}

  /// True for the names above.
  static bool knows(std::string_view method) { return method.starts_with("push."); }
  /// `service` lives in `here`.
  Task<Json> invoke(tenant::Here here, const tenant::Service* service, std::string method, Json arguments);

 private:
  Task<Json> to_tags(tenant::Here here, const tenant::Service* service, Send send);
  Task<Json> to_devices(tenant::Here here, const tenant::Service* service, Send send);

  Sends& sends_;
  Senders& senders_;
  Random& random_;
  const Clock& clock_;
};

/// A native payload from what scripts give: text stays; for apns the members of Node's apn ({alert, badge, sound,
/// payload}) become aps and its neighbours, for gcm text becomes data.message.
std::string payload_of(Platform platform, const Json& given);

/// The text of `tags`. bad_request.
Result<std::string> expression_of(const Json* tags);

}  // namespace mandate::push
