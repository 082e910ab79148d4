#include "base/config.h"

namespace mandate {

namespace {

using T = Option::Type;
constexpr std::int64_t kKiB = 1024, kMiB = 1024 * kKiB, kSecond = 1000, kMinute = 60 * kSecond;

// Limits have the defaults of security-and-reliability 0.2; `most` is the hard maximum.
constexpr Option kOptions[] = {
    {"address", T::text, "127.0.0.1", 0, 0, "", "address to listen on; 0.0.0.0 or :: for all"},
    {"port", T::integer, "8443", 0, 65'535, "", "port for HTTP and TLS, the first byte decides; 0 = any free one"},
    {"metrics_address", T::text, "127.0.0.1", 0, 0, "", "address of the metrics listener"},
    {"metrics_port", T::integer, "-1", -1, 65'535, "", "port of /metrics (Prometheus text); -1 = off, 0 = any free one"},
    {"data_dir", T::text, "./var", 0, 0, "", "where the data lives; mode 0700"},
    {"store", T::text, "", 0, 0, "", "postgres://… keeps the data in PostgreSQL, shared by any number of nodes; empty = SQLite files in data_dir"},
    {"store_schema", T::text, "mandate", 0, 0, "", "PostgreSQL: schema of the shared tables; apps' tables lie in SCHEMA:TENANT"},
    {"store_read_connections", T::integer, "2", 1, 64, "", "PostgreSQL: connections of each loop for reading"},
    {"store_write_connections", T::integer, "2", 1, 64, "", "PostgreSQL: connections of each loop for writing"},
    {"store_together", T::integer, "256", 1, 4096, "", "PostgreSQL: reads or batches that may share a round trip; 1 = each for itself"},
    {"store_notifications", T::boolean, "true", 0, 0, "", "PostgreSQL: listen for NOTIFY; without it nodes ask each other's news every quarter of a second"},
    {"master_key_file", T::text, "", 0, 0, "", "key that seals secrets; empty = mandate.key beside (not inside) data_dir"},
    {"admin_socket", T::text, "", 0, 0, "", "Unix socket for the owner's `mandate` command; empty = admin.sock in data_dir"},
    {"handover_socket", T::text, "", 0, 0, "", "Unix socket where a newer mandated asks for our listening sockets; empty = handover.sock in data_dir; - = none"},
    {"take_over", T::boolean, "false", 0, 0, "", "take the listening sockets of the mandated that runs on this data_dir, if one does, and let it leave"},
    {"handover_limit", T::duration, "5s", 100, 5 * kMinute, "", "SQLite: a hand-over waits this long for requests in flight, while new ones wait; then it is given up"},
    {"certificate", T::text, "", 0, 0, "", "PEM certificate chain; empty = a development certificate made at first start"},
    {"key", T::text, "", 0, 0, "", "PEM private key of the certificate"},
    {"loops", T::integer, "0", 0, 64, "", "event loops; 0 = one per core, at most 64"},
    {"log_level", T::text, "info", 0, 0, "debug|info|warn|error", "least level that is logged"},
    {"trusted_proxies", T::list, "", 0, 0, "", "addresses or networks whose X-Forwarded-* fields are believed"},
    {"default_tenant", T::text, "", 0, 0, "", "tenant for host names nobody claims; empty = the only one, if there is one; - = none: such requests get 421"},
    {"drain_delay", T::duration, "0s", 0, 5 * kMinute, "", "after SIGTERM: time with readiness false and the listener open"},
    {"drain_limit", T::duration, "25s", 0, 10 * kMinute, "", "after that: time for requests in flight"},
    {"egress_allow", T::list, "", 0, 0, "", "host[:port] that may be reached though their addresses are private"},
    {"egress_ca_file", T::text, "", 0, 0, "", "PEM of further authorities trusted for outgoing requests"},
    {"request_line_limit", T::size, "16KiB", 256, 64 * kKiB, "", "longest request line; beyond 8 KiB only for tables, whose filters are in it"},
    {"header_bytes_limit", T::size, "16KiB", 1 * kKiB, 256 * kKiB, "", "largest header block"},
    {"header_fields_limit", T::integer, "100", 10, 1000, "", "most header fields"},
    {"header_timeout", T::duration, "10s", 100, 5 * kMinute, "", "time for a complete header block"},
    {"tls_timeout", T::duration, "10s", 100, 5 * kMinute, "", "time for a TLS handshake"},
    {"write_stall_timeout", T::duration, "30s", 100, 10 * kMinute, "", "a peer that takes nothing for this long is dropped"},
    {"idle_timeout", T::duration, "75s", 100, 60 * kMinute, "", "a kept connection without request is closed"},
    {"request_timeout", T::duration, "30s", 100, 10 * kMinute, "", "deadline of a request, handed to every wait in it"},
    {"body_rate_least", T::size, "500B", 1, 1 * kMiB, "", "slowest body, bytes per second after 5 s"},
    {"connections_limit", T::integer, "20000", 1, 1'000'000, "", "most connections at once"},
    {"password_workers", T::integer, "0", 0, 256, "", "threads for hashing passwords; 0 = one per core"},
    {"password_memory", T::size, "19MiB", 8 * kKiB, 1024 * kMiB, "", "argon2id memory; less than the default is for tests only"},
    {"password_passes", T::integer, "2", 1, 20, "", "argon2id passes"},
    {"rate_token", T::integer, "6000", 1, 1'000'000'000, "", "requests a minute to /oauth/token, introspection and revocation, per client and address"},
    {"rate_ro", T::integer, "600", 1, 1'000'000'000, "", "requests a minute to /oauth/ro, per client and address"},
    {"rate_authorize", T::integer, "300", 1, 1'000'000'000, "", "sign-ins begun a minute at /authorize, per address"},
    {"rate_userinfo", T::integer, "600", 1, 1'000'000'000, "", "requests a minute to /userinfo and /tokeninfo, per address"},
    {"rate_delegation", T::integer, "10", 1, 1'000'000'000, "", "delegations a minute, per address and user"},
    {"page_bytes", T::size, "8MiB", 64 * kKiB, 256 * kMiB, "", "largest list of items in one answer; the rest is behind its Link, or refused with 413 in the V1 dialect"},
    {"node", T::text, "node", 0, 0, "", "the Node.js program that runs table scripts"},
    {"script_children", T::integer, "0", 0, 64, "", "script processes, plus one warm spare; 0 = half the cores, at least 1"},
    {"script_user", T::text, "", 0, 0, "", "user the script processes run as when we are root; empty = nobody"},
    {"script_wall", T::duration, "30s", 10, 5 * kMinute, "", "longest script call, waiting included"},
    {"script_cpu", T::duration, "2s", 10, 60 * kSecond, "", "longest time a script may hold its thread"},
    {"script_heap", T::size, "64MiB", 16 * kMiB, 1024 * kMiB, "", "JavaScript heap of one tenant's scripts"},
    {"script_answer", T::size, "4MiB", 1 * kKiB, 64 * kMiB, "", "largest answer of a script"},
};

}  // namespace

std::span<const Option> config_options() { return kOptions; }

}  // namespace mandate
