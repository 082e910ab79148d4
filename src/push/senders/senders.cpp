#include "push/senders/senders.h"

#include "push/payload.h"

namespace mandate::push {

namespace {
constexpr std::size_t kMostProofs = 1000;
}

std::optional<std::string> Senders::known(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = proofs_.find(name);
  if (found == proofs_.end() || found->second.until <= clock_.now_ms()) return std::nullopt;
  return found->second.text;
}

void Senders::keep(const std::string& name, std::string text, Millis until) {
  const std::lock_guard lock(mutex_);
  if (proofs_.size() >= kMostProofs) proofs_.clear();
  proofs_[name] = {std::move(text), until};
}

void Senders::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  proofs_.erase(name);
}

Result<Secret> Senders::secret(const tenant::Service& service, const std::string& sealed, std::string_view path) const {
  return vault_.unseal(sealed, tenant::sealed::service(service.name, path));
}

Result<void> Senders::can_send(const tenant::Service& service, Platform platform) const {
  const tenant::Push& push = service.push;
  bool ready = false;
  switch (platform) {
    case Platform::apns: ready = push.apns.configured && !push.apns.key_sealed.empty(); break;
    case Platform::gcm: ready = push.fcm.configured && !push.fcm.service_account_sealed.empty(); break;
    case Platform::wns: ready = push.wns.configured && !push.wns.client_secret_sealed.empty(); break;
    case Platform::webpush: ready = push.webpush.configured && !push.webpush.private_key_sealed.empty(); break;
    case Platform::mpns: return Error(Code::not_found, "The push service of Windows Phone (MPNS) has ended: nothing can be sent there.");
  }
  if (ready) return {};
  return Error(Code::not_found, "The service is not set up to send to " + std::string(name(platform)) + ".");
}

Task<void> Senders::prepare(tenant::Here, const tenant::Service* service, Platform platform) {
  if (!can_send(*service, platform).ok() || (platform != Platform::gcm && platform != Platform::wns)) co_return ok();
  Task<std::string> proving = platform == Platform::gcm ? fcm_proof(service) : wns_proof(service);
  const Result<std::string> proof = co_await proving;
  CO_CHECK(proof);
  co_return ok();
}

Task<Delivered> Senders::deliver(tenant::Here here, const tenant::Service* service, Message message) {
  if (const auto possible = can_send(*service, message.platform); !possible.ok())
    co_return Delivered{Delivered::Kind::refused, 0, possible.error().hint, 0};
  if (message.expires_at > 0 && message.expires_at <= clock_.now_ms()) co_return Delivered{Delivered::Kind::refused, 0, "expired", 0};
  complete_headers(message.platform, message.payload, message.headers);
  std::optional<Task<Delivered>> task;
  switch (message.platform) {
    case Platform::apns: task.emplace(to_apns(service, std::move(message))); break;
    case Platform::gcm: task.emplace(to_fcm(service, std::move(message))); break;
    case Platform::wns: task.emplace(to_wns(service, std::move(message))); break;
    case Platform::webpush: task.emplace(to_webpush(service, std::move(message))); break;
    case Platform::mpns: co_return Delivered{};
  }
  Task<Delivered> named = std::move(*task);
  const Result<Delivered> done = co_await named;
  // `here` is the snapshot that `service` lives in: it stays until now.
  if (!done.ok()) co_return no_answer(done.error());
  co_return *done;
}

}  // namespace mandate::push
