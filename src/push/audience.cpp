#include "push/audience.h"

#include <map>

namespace mandate::push {
namespace {

struct Ids {
  std::vector<std::string> ids;
  bool all = false;  ///< there are none behind them
};

/// Ids behind `after`: of everybody, or of a tag.
Task<Ids> ids_behind(store::Store& store, std::string service, std::optional<std::string> tag, std::string after, std::int64_t most) {
  const std::string name = tag ? "registration" : "id";
  std::vector<store::ExprPtr> behind{store::column(name, store::Type::text), store::literal(after, store::Type::text)};
  store::Plan plan;
  plan.table = tag ? "push_tags" : "push_registrations";
  plan.select = {name};
  plan.where = store::both(store::equals("service", service), store::make(store::Op::gt, std::move(behind)));
  if (tag) plan.where = store::both(std::move(plan.where), store::equals("tag", *tag));
  plan.order.push_back({store::column(name, store::Type::text), false});
  plan.limit = most;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  Ids out;
  for (const store::Row& row : rows) out.ids.emplace_back(row.text(name));
  out.all = static_cast<std::int64_t>(rows.size()) < most;
  co_return out;
}

}  // namespace

Task<AudiencePage> audience(store::Store& store, Registrations& registrations, std::string service, TagExpression expression, std::string after,
                            std::int64_t most) {
  const std::size_t tags = expression.tags().size();
  AudiencePage page;
  page.end = true;
  // id → which of the tags it has. Lists that were cut end somewhere: what is behind the first such end waits.
  std::map<std::string, std::vector<bool>> found;
  for (std::size_t i = expression.matches_strangers() ? 0 : 1; i <= tags; ++i) {
    std::optional<std::string> tag;
    if (i > 0) tag = expression.tags()[i - 1];
    Task<Ids> reading = ids_behind(store, service, std::move(tag), after, most);
    CO_TRY(const Ids list, co_await reading);
    for (const std::string& id : list.ids) {
      std::vector<bool>& has = found[id];
      has.resize(tags);
      if (i > 0) has[i - 1] = true;
    }
    if (list.all) continue;
    if (page.end || list.ids.back() < page.last) page.last = list.ids.back();
    page.end = false;
  }
  std::vector<std::string> meant;
  for (const auto& [id, has] : found) {
    if (!page.end && id > page.last) break;
    bool flags[kMostExpressionTags] = {};
    for (std::size_t i = 0; i < tags; ++i) flags[i] = has[i];
    if (expression.matches({flags, tags})) meant.push_back(id);
  }
  Task<std::vector<Registration>> reading = registrations.by_id(store, service, std::move(meant));
  Result<std::vector<Registration>> members = co_await reading;
  CO_TRY(page.members, std::move(members));
  co_return page;
}

}  // namespace mandate::push
