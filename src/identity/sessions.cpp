#include "identity/sessions.h"

#include "base/crypto.h"

namespace mandate::identity {
namespace {

using store::equals;

// A busy session writes its last sight this often at most; the idle limit is therefore exact to a minute.
constexpr Millis kSightEvery = 60'000;

std::string_view cookie_name(const http::Request& request) { return request.secure ? kSessionCookie : kPlainSessionCookie; }

std::string set_cookie(const http::Request& request, std::string value, std::int64_t max_age) {
  http::SetCookie cookie;
  cookie.name = cookie_name(request);
  cookie.value = std::move(value);
  cookie.max_age = max_age;
  cookie.secure = request.secure;
  return http::to_string(cookie);
}

std::vector<std::string> texts_of(std::string_view json) {
  std::vector<std::string> out;
  Result<Json> parsed = parse_json(json);
  if (!parsed.ok() || !parsed->is_array()) return out;
  for (const Json& item : parsed->as_array())
    if (item.is_string()) out.emplace_back(view(item.as_string()));
  return out;
}

std::string json_of(const std::vector<std::string>& texts) {
  JsonArray out;
  for (const std::string& text : texts) out.push_back(boost::json::string(text));
  return to_json(out);
}

Session session_of(const store::Row& row) {
  Session session;
  session.id = row.text("id");
  session.user_id = row.text("user_id");
  session.connection = row.text("connection");
  session.auth_time = row.integer("auth_time");
  session.created_at = row.integer("created_at");
  session.last_seen = row.integer("last_seen");
  session.expires_at = row.integer("expires_at");
  session.amr = texts_of(row.text("amr"));
  session.clients = texts_of(row.text("clients"));
  session.user_epoch = row.integer("user_epoch");
  session.tenant_epoch = static_cast<std::uint64_t>(row.integer("tenant_epoch"));
  return session;
}

// The session when it lives: neither end has come, and neither the person nor the tenant has moved on since.
Task<std::optional<Session>> live(tenant::Here here, store::ExprPtr where, Millis now) {
  std::optional<Session> none;
  store::Store& store = *here.store;
  store::Plan plan;
  plan.table = "sessions";
  plan.where = std::move(where);
  CO_TRY(std::optional<store::Row> row, co_await store.get(plan));
  if (!row) co_return none;
  Session session = session_of(*row);
  if (now >= session.expires_at || now - session.last_seen >= here->idle_session_lifetime_seconds * 1000) co_return none;
  if (session.tenant_epoch < here->epoch) co_return none;
  store::Plan user_plan;
  user_plan.table = "users";
  user_plan.select = {"blocked", "epoch"};
  user_plan.where = equals("user_id", session.user_id);
  CO_TRY(std::optional<store::Row> user, co_await store.get(user_plan));
  if (!user || user->boolean("blocked") || user->integer("epoch") > session.user_epoch) co_return none;
  co_return std::optional<Session>(std::move(session));
}

}  // namespace

// Says the same as live(), to the database.
store::ExprPtr live_session(const tenant::Here& here, std::string sid, const User& user, Millis now) {
  const auto compare = [](store::Op op, std::string column, std::int64_t value) {
    return store::make(op, {store::column(std::move(column), store::Type::integer), store::literal(value, store::Type::integer)});
  };
  store::ExprPtr out = store::both(equals("id", std::move(sid)), equals("user_id", user.user_id));
  out = store::both(std::move(out), compare(store::Op::gt, "expires_at", now));
  out = store::both(std::move(out), compare(store::Op::gt, "last_seen", now - here->idle_session_lifetime_seconds * 1000));
  out = store::both(std::move(out), compare(store::Op::ge, "tenant_epoch", static_cast<std::int64_t>(here->epoch)));
  return store::both(std::move(out), compare(store::Op::ge, "user_epoch", user.epoch));
}

Task<std::optional<Session>> Sessions::current(const tenant::Here& here, const http::Request& request) const {
  const tenant::Here home = here;
  const std::string secret(http::cookie(request, cookie_name(request)));
  if (secret.empty()) co_return std::optional<Session>();
  const Millis now = clock_.now_ms();
  store::ExprPtr where = equals("secret_hash", token_hash(secret));
  CO_TRY(std::optional<Session> session, co_await live(home, where, now));
  if (session && now - session->last_seen >= kSightEvery) {
    session->last_seen = now;
    store::Batch batch;
    batch.add(store::update("sessions", equals("id", session->id), {{"last_seen", now}}));
    // A node that may not write (full disk) still knows who is there.
    [[maybe_unused]] Result<store::Outcome> seen = co_await home.store->mutate(std::move(batch));
  }
  co_return session;
}

Task<std::optional<Session>> Sessions::find(const tenant::Here& here, std::string sid) const {
  const tenant::Here home = here;
  store::ExprPtr where = equals("id", sid);
  Result<std::optional<Session>> session = co_await live(home, where, clock_.now_ms());
  co_return session;
}

Task<Session> Sessions::begin(const tenant::Here& here, const http::Request& request, const User& user, std::string connection,
                              std::vector<std::string> amr, std::string& cookie) const {
  const tenant::Here home = here;
  const Millis now = clock_.now_ms();
  const std::string secret = random_.token(32);
  Session session;
  session.id = random_.token(18);
  session.user_id = user.user_id;
  session.connection = std::move(connection);
  session.auth_time = session.created_at = session.last_seen = now;
  session.expires_at = now + home->session_lifetime_seconds * 1000;
  session.amr = std::move(amr);
  session.user_epoch = user.epoch;
  session.tenant_epoch = home->epoch;

  store::Batch batch;
  const std::string old(http::cookie(request, cookie_name(request)));
  if (!old.empty()) batch.add(store::remove("sessions", equals("secret_hash", token_hash(old))));
  batch.add(store::remove("sessions", store::make(store::Op::le, {store::column("expires_at", store::Type::integer),
                                                                  store::literal(now, store::Type::integer)})));
  batch.add(store::insert("sessions", {{"id", session.id},
                                       {"secret_hash", token_hash(secret)},
                                       {"user_id", session.user_id},
                                       {"connection", session.connection},
                                       {"auth_time", now},
                                       {"created_at", now},
                                       {"last_seen", now},
                                       {"expires_at", session.expires_at},
                                       {"amr", json_of(session.amr)},
                                       {"clients", json_of(session.clients)},
                                       {"user_epoch", session.user_epoch},
                                       {"tenant_epoch", static_cast<std::int64_t>(session.tenant_epoch)}}));
  cookie = set_cookie(request, secret, home->session_lifetime_seconds);
  CO_CHECK(co_await home.store->mutate(std::move(batch)));
  co_return session;
}

Task<void> Sessions::note_client(const tenant::Here& here, const Session& session, std::string client_id) const {
  if (std::find(session.clients.begin(), session.clients.end(), client_id) != session.clients.end()) co_return ok();
  store::Store& store = *here.store;
  std::vector<std::string> clients = session.clients;
  clients.push_back(std::move(client_id));
  store::Batch batch;
  batch.add(store::update("sessions", equals("id", session.id), {{"clients", json_of(clients)}}));
  CO_CHECK(co_await store.mutate(std::move(batch)));
  co_return ok();
}

Task<void> Sessions::end(const tenant::Here& here, const http::Request& request, std::string& cookie) const {
  store::Store& store = *here.store;
  const std::string secret(http::cookie(request, cookie_name(request)));
  cookie = set_cookie(request, "", 0);
  if (secret.empty()) co_return ok();
  store::Batch batch;
  batch.add(store::remove("sessions", equals("secret_hash", token_hash(secret))));
  CO_CHECK(co_await store.mutate(std::move(batch)));
  co_return ok();
}

}  // namespace mandate::identity
