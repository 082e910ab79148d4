#include "identity/login/choose.h"

namespace mandate::identity {
namespace {

Error not_found() { return Error(Code::invalid_request, "the connection was not found"); }

const tenant::Connection* find(const std::vector<const tenant::Connection*>& usable, std::string_view named) {
  const tenant::Connection* by_strategy = nullptr;
  std::size_t same_strategy = 0;
  for (const tenant::Connection* connection : usable) {
    if (connection->name == named) return connection;
    if (connection->strategy == named) by_strategy = connection, ++same_strategy;
  }
  return same_strategy == 1 ? by_strategy : nullptr;
}

}  // namespace

Result<Choice> choose(const tenant::Tenant& tenant, const tenant::Client& client, std::string_view named) {
  const std::vector<const tenant::Connection*> usable = tenant.connections_of(client);
  Choice choice;
  if (!named.empty()) {
    const tenant::Connection* connection = find(usable, named);
    if (!connection) return not_found();
    if (is_database(*connection)) choice.offered = {connection};
    else choice.straight = connection;
    return choice;
  }
  if (usable.empty()) return not_found();
  if (usable.size() == 1 && !is_database(*usable.front())) {
    choice.straight = usable.front();
    return choice;
  }
  for (const bool databases : {true, false})
    for (const tenant::Connection* connection : usable)
      if (is_database(*connection) == databases) choice.offered.push_back(connection);
  return choice;
}

}  // namespace mandate::identity
