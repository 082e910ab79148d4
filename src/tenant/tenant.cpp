#include "tenant/tenant.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"

namespace mandate::tenant {

namespace {

template <class Map>
const typename Map::mapped_type* find(const Map& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

}  // namespace

const TableColumn* Table::column(std::string_view any_case) const {
  for (const TableColumn& each : columns)
    if (iequals(each.name, any_case)) return &each;
  return nullptr;
}

const Table* Service::table(std::string_view any_case) const { return find(tables, ascii_lower(any_case)); }

const Job* Service::job(std::string_view any_case) const { return find(jobs, ascii_lower(any_case)); }

const Client* Tenant::client(std::string_view id) const { return find(clients, id); }
const Client* Tenant::login_client(std::string_view id) const {
  const Client* own = find(clients, id);
  return own ? own : find(service_clients, id);
}
const Api* Tenant::api(std::string_view identifier) const { return find(apis, identifier); }
const Connection* Tenant::connection(std::string_view wanted) const { return find(connections, wanted); }

std::vector<const Connection*> Tenant::connections_of(const Client& client) const {
  std::vector<const Connection*> out;
  for (const auto& [key, connection] : connections) {
    const bool listed = client.connections.empty() ||
                        std::find(client.connections.begin(), client.connections.end(), key) != client.connections.end();
    if (connection.enabled && listed) out.push_back(&connection);
  }
  return out;
}

const Service* Tenant::service_at(std::string_view host) const {
  // With its port first: two services of a developer's machine differ in nothing else.
  for (const std::string_view wanted : {host, host_without_port(host)})
    for (const auto& [key, service] : services)
      for (const std::string& own : service.hosts)
        if (iequals(own, wanted)) return &service;
  return find(services, kDefaultService);
}

const SigningKey* Tenant::signing_key(jose::Alg alg) const {
  for (const SigningKey& key : signing_keys)
    if (key.state == "current" && key.key.alg() == alg) return &key;
  return nullptr;
}

const jose::Key* Tenant::verifying_key(std::string_view kid) const {
  for (const SigningKey& key : signing_keys)
    if (key.key.kid() == kid) return &key.key;
  return nullptr;
}

std::string Tenant::global_id() const {
  return global_client_id.empty() ? to_hex(sha256("global client\n" + name)).substr(0, 32) : global_client_id;
}

std::string service_client_id(std::string_view service) { return "urn:mandate:service:" + std::string(service); }

std::string_view host_without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || (host.starts_with('[') && host.ends_with(']'))) return host;
  return host.substr(0, colon);
}

}  // namespace mandate::tenant
