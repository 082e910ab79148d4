#include "push/expand.h"

#include "push/audience.h"
#include "push/payload.h"
#include "push/templates.h"

namespace mandate::push {
namespace {

constexpr std::int64_t kPage = 500;

JsonObject object_of(std::string_view json) {
  Result<Json> read = parse_json(json);
  return read.ok() && read->is_object() ? std::move(read->get_object()) : JsonObject();
}

/// What one registration gets of a send; nullopt when the send is not for it. bad_request for a template that fails.
Result<std::optional<Native>> native_for(const Registration& r, std::string_view kind, std::string_view platform, const JsonObject& properties) {
  if (kind == "native") {
    if (!r.template_body.empty() || name(r.platform) != platform) return std::optional<Native>();
    return std::optional<Native>(Native{});
  }
  if (kind == "message") {
    if (!r.template_body.empty()) return std::optional<Native>();
    return std::optional<Native>(native_of(r.platform, properties));
  }
  if (r.template_body.empty()) return std::optional<Native>();
  const Properties from{properties, r.variables};
  Native out;
  TRY(out.payload, render(r.platform, r.template_body, from));
  for (const auto& member : r.headers)
    if (member.value().is_string()) out.headers[member.key()] = render_text(view(member.value().get_string()), from);
  if (!r.expiry.empty() && r.platform == Platform::apns) {
    const std::string expiry = render_text(r.expiry, from);
    const auto at = parse_iso8601(expiry);
    const bool number = !expiry.empty() && expiry.find_first_not_of("0123456789") == std::string::npos && expiry.size() < 12;
    if (at || number) out.headers["apns-expiration"] = at ? std::to_string(*at / 1000) : expiry;
  }
  CHECK_OK(check_payload(r.platform, out.payload));
  return std::optional<Native>(std::move(out));
}

}  // namespace

/// One page of a send's devices becomes deliveries, together with how far the send is.
Task<void> expand(store::Store& store, Registrations& registrations, const store::Row& send, const Clock& clock, Random& random) {
  const std::string id(send.text("id")), service(send.text("service")), kind(send.text("kind")), platform(send.text("platform"));
  Result<TagExpression> expression = TagExpression::parse(send.text("expression"));
  if (!expression.ok()) co_return expression.error();
  const JsonObject properties = kind == "native" ? JsonObject() : object_of(send.text("payload"));
  const JsonObject own = object_of(send.text("headers"));
  Task<AudiencePage> reading = audience(store, registrations, service, std::move(*expression), std::string(send.text("progress")), kPage);
  CO_TRY(const AudiencePage page, co_await reading);
  const Millis now = clock.now_ms();
  std::int64_t targets = send.integer("targets"), failed = send.integer("failed");
  std::string error(send.text("last_error"));
  store::Batch batch;
  for (const Registration& r : page.members) {
    Result<std::optional<Native>> native = native_for(r, kind, platform, properties);
    if (native.ok() && !*native) continue;
    ++targets;
    if (!native.ok()) {
      ++failed;
      error = native.error().hint;
      continue;
    }
    JsonObject headers = std::move((*native)->headers);
    for (const auto& member : own) headers[member.key()] = member.value();
    batch.add(store::insert("push_deliveries", {{"id", random.uuid7(now)}, {"send", id}, {"service", service}, {"platform", std::string(name(r.platform))},
                                                {"handle", r.handle}, {"payload", std::move((*native)->payload)}, {"headers", to_json(headers)},
                                                {"attempts", std::int64_t{0}}, {"due_at", now}}));
  }
  // Of two that expand the same page at once, by a node that slept and the one that took over, one stands.
  store::ExprPtr here = store::both(store::equals("id", id), store::equals("progress", std::string(send.text("progress"))));
  here = store::both(std::move(here), store::equals("state", std::string("filed")));
  store::Mutation progress = store::update("push_sends", std::move(here),
                                           {{"state", std::string(page.end ? "sending" : "filed")}, {"progress", page.last}, {"targets", targets},
                                            {"failed", failed}, {"last_error", error}});
  progress.expect = store::Mutation::Expect::one;
  batch.add(std::move(progress));
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  co_return ok();
}

}  // namespace mandate::push
