// Configuration objects as JSON: the same members in a tenant's file, in the store and in an export. Readers are strict and
// report to Problems; writers leave out what has its usual value, so equal objects have equal text. Secrets are not among
// the members: they are kept beside them, sealed (secrets.h).
#pragma once

#include "tenant/codec/reader.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

/// Tenant: name, flags, hosts, session lifetimes … everything but the objects below.
void read_settings(const JsonObject& body, const std::string& path, Problems& problems, Tenant& out);
JsonObject write_settings(const Tenant& tenant);

Client read_client(const std::string& client_id, const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_client(const Client& client);

Api read_api(const std::string& identifier, const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_api(const Api& api);

ClientGrant read_client_grant(const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_client_grant(const ClientGrant& grant);

Connection read_connection(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_connection(const Connection& connection);

DelegationGrant read_delegation_grant(const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_delegation_grant(const DelegationGrant& grant);

/// Without its tables, which are objects of their own.
Service read_service(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_service(const Service& service);
/// Its member "push".
void read_push(ObjectReader& service, Push& out);
JsonObject write_push(const Push& push);

/// Its member "jobs".
void read_jobs(ObjectReader& service, std::map<std::string, Job, std::less<>>& out);
JsonObject write_jobs(const std::map<std::string, Job, std::less<>>& jobs);

/// What a service's folder brought: version, custom APIs, jobs, push permission. A job that the service's own settings name too
/// is theirs.
void read_service_code(const JsonObject& body, const std::string& path, Problems& problems, Service& out);
JsonObject write_service_code(const Service& service);

/// The members of TableSync, among those of its table.
void read_sync(ObjectReader& table, TableSync& out);
void write_sync(JsonObject& table, const TableSync& sync);

/// The member `login` of a service.
ServiceLogin read_service_login(const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_service_login(const ServiceLogin& login);
/// What stands for the service where a login asks for a client: its connections, and the one grant it has.
Client client_of(const Service& service);

/// Without its scripts, which are objects of their own.
Table read_table(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems);
JsonObject write_table(const Table& table);

/// The words of mobile-backend-wire 4.7 in one spelling; empty for any other word.
std::string_view permission_word(std::string_view word);

/// Grant types: the file may say "legacy_ro" for http://auth0.com/oauth/legacy/grant-type/ro, and so on.
std::string grant_of_word(std::string_view word);  ///< empty when unknown
std::string word_of_grant(std::string_view grant);

/// The members a legacy SDK needs, for those the file leaves out: "uwp", "auth0-js-6" … False when the preset is unknown.
bool apply_legacy_preset(std::string_view sdk, JsonObject& body);

}  // namespace mandate::tenant
