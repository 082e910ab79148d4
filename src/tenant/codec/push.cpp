// The member "push" of a service. Its secrets are kept beside it (secrets.h).
#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {

constexpr std::int64_t kMostDays = 3650;

void read_endpoint(ObjectReader& in, std::string& out) {
  in.text("endpoint", out);
  if (out.empty()) return;
  if (const std::string text = redirect_problem(out, false); !text.empty()) in.problem("endpoint", text);
  while (out.ends_with('/')) out.pop_back();
}

void required(ObjectReader& in, std::string_view name, std::string& out, std::size_t most = 256) {
  in.text(name, out, most);
  if (out.empty()) in.problem(name, "is missing");
}

void read_apns(ObjectReader& parent, Push::Apns& out) {
  const JsonObject* group = parent.object("apns");
  if (!group) return;
  ObjectReader in(*group, parent.at("apns"), parent.problems());
  out.configured = true;
  required(in, "key_id", out.key_id, 64);
  required(in, "team_id", out.team_id, 64);
  required(in, "topic", out.topic);
  in.flag("production", out.production);
  read_endpoint(in, out.endpoint);
  in.finish();
}

void read_fcm(ObjectReader& parent, Push::Fcm& out) {
  const JsonObject* group = parent.object("fcm");
  if (!group) return;
  ObjectReader in(*group, parent.at("fcm"), parent.problems());
  out.configured = true;
  read_endpoint(in, out.endpoint);
  in.finish();
}

void read_wns(ObjectReader& parent, Push::Wns& out) {
  const JsonObject* group = parent.object("wns");
  if (!group) return;
  ObjectReader in(*group, parent.at("wns"), parent.problems());
  out.configured = true;
  required(in, "package_sid", out.package_sid);
  read_endpoint(in, out.endpoint);
  in.texts("channel_hosts", out.channel_hosts, 20);
  for (const std::string& host : out.channel_hosts)
    if (const std::string text = host_problem(host); !text.empty()) in.problem("channel_hosts", text);
  in.finish();
}

void read_webpush(ObjectReader& parent, Push::WebPush& out) {
  const JsonObject* group = parent.object("webpush");
  if (!group) return;
  ObjectReader in(*group, parent.at("webpush"), parent.problems());
  out.configured = true;
  required(in, "subject", out.subject);
  if (!out.subject.empty() && !out.subject.starts_with("mailto:") && !out.subject.starts_with("https://"))
    in.problem("subject", "must start with mailto: or https://");
  in.finish();
}

}  // namespace

void read_push(ObjectReader& service, Push& out) {
  const JsonObject* group = service.object("push");
  if (!group) return;
  ObjectReader in(*group, service.at("push"), service.problems());
  std::string word;
  in.text("permission", word, 64);
  if (!word.empty()) {
    const std::string_view known = permission_word(word);
    if (known.empty()) in.problem("permission", "'" + word + "' is no permission: public, application, authenticated, admin");
    out.permission = known;
  }
  in.integer("registration_days", out.registration_days, 0, kMostDays);
  read_apns(in, out.apns);
  read_fcm(in, out.fcm);
  read_wns(in, out.wns);
  read_webpush(in, out.webpush);
  in.finish();
}

JsonObject write_push(const Push& push) {
  JsonObject out;
  put(out, "permission", push.permission);
  put(out, "registration_days", push.registration_days, Push().registration_days);
  if (push.apns.configured) {
    JsonObject apns{{"key_id", push.apns.key_id}, {"team_id", push.apns.team_id}, {"topic", push.apns.topic}};
    put(apns, "production", push.apns.production, true);
    put(apns, "endpoint", push.apns.endpoint);
    out["apns"] = std::move(apns);
  }
  if (push.fcm.configured) {
    JsonObject fcm;
    put(fcm, "endpoint", push.fcm.endpoint);
    out["fcm"] = std::move(fcm);
  }
  if (push.wns.configured) {
    JsonObject wns{{"package_sid", push.wns.package_sid}};
    put(wns, "endpoint", push.wns.endpoint);
    put(wns, "channel_hosts", push.wns.channel_hosts);
    out["wns"] = std::move(wns);
  }
  if (push.webpush.configured) out["webpush"] = JsonObject{{"subject", push.webpush.subject}};
  return out;
}

}  // namespace mandate::tenant
