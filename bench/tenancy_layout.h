// The layouts that the tenancy bench sets side by side: their tables and the statements on them.
#pragma once

#include <string>

#include "bench/tenancy_connection.h"

namespace mandate::bench {

/// `text` with every `from` as `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

// An app of two tables, as a developer of the old service would have them. "@" is the schema.
inline const std::string kApp =
    "CREATE TABLE @.todoitem (id text PRIMARY KEY, version bigint NOT NULL, deleted boolean NOT NULL, owner text, text text,"
    " complete boolean, due bigint); CREATE INDEX ON @.todoitem (version); CREATE INDEX ON @.todoitem (owner);"
    "CREATE TABLE @.note (id text PRIMARY KEY, version bigint NOT NULL, deleted boolean NOT NULL, owner text, body text);"
    "CREATE INDEX ON @.note (version);";
inline const std::string kDocuments =
    "CREATE TABLE mandate.items (mandate_tenant text COLLATE \"C\" NOT NULL, name text NOT NULL, id text NOT NULL,"
    " version bigint NOT NULL, deleted boolean NOT NULL, item jsonb NOT NULL, PRIMARY KEY (mandate_tenant, name, id));"
    "CREATE INDEX ON mandate.items (mandate_tenant, name, version);";

// The tables and indexes that the migrations left in schema mould, as statements for schema "@".
inline constexpr const char* kMould = R"(
WITH keys AS (SELECT i.*, (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, false), ', ' ORDER BY k)
                             FROM generate_series(1, i.indnkeyatts) k) AS list FROM pg_index i)
SELECT string_agg(ddl, ' ' ORDER BY pass) FROM (
  SELECT 1 AS pass, format('CREATE TABLE @.%I ({column}%s, PRIMARY KEY ({tenant}%s));', c.relname,
           (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
                              || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY attnum)
              FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), k.list) AS ddl
    FROM pg_class c JOIN keys k ON k.indrelid = c.oid AND k.indisprimary WHERE c.relnamespace = 'mould'::regnamespace
  UNION ALL
  SELECT 2, format('CREATE %s INDEX ON @.%I ({tenant}%s);', CASE WHEN k.indisunique THEN 'UNIQUE' ELSE '' END, c.relname, k.list)
    FROM pg_class c JOIN keys k ON k.indrelid = c.oid AND NOT k.indisprimary WHERE c.relnamespace = 'mould'::regnamespace) t)";

/// A statement of each shape: `sql` with "@" for a schema, what it is prepared as, what it is given.
struct Statement {
  std::string name, sql;
  Texts parameters;
};

/// Where each table of a tenant is, and the statements of the bench on it.
class Layout {
 public:
  Layout(std::string kind, int tenants) : kind_(std::move(kind)), tenants_(tenants) {}

  bool own_rooms() const { return kind_ == "schemas"; }
  bool own_apps() const { return kind_ != "documents"; }
  int tenants() const { return tenants_; }
  static std::string name(int tenant) { return "tenant" + std::to_string(tenant); }
  static std::string schema(int tenant) { return "\"mandate:" + name(tenant) + '"'; }

  Statement user(int tenant, int row) const {
    return room("user", tenant, "SELECT * FROM @.users WHERE #user_id = $1", key(row));
  }
  Statement session(int tenant, int row) const {
    return room("session", tenant, "SELECT * FROM @.sessions WHERE #secret_hash = $1", key(row));
  }
  Statement refresh(int tenant, int row) const {
    return room("refresh", tenant, "SELECT * FROM @.oauth_refresh_tokens WHERE #hash = $1", key(row));
  }
  Statement item(int tenant, int row) const {
    if (own_apps()) return {"item " + name(tenant), "SELECT * FROM " + schema(tenant) + ".todoitem WHERE id = $1", {key(row)}};
    return {"item",
            "SELECT * FROM mandate.items WHERE mandate_tenant = $2 AND name = 'todoitem' AND id = $1",
            {key(row), name(tenant)}};
  }
  /// What an owner has open, by date: the filter and the order of an app, over the long list of tenant 0.
  Statement list(int owner) const {
    const std::string who = "github|" + std::to_string(owner);
    if (own_apps())
      return {
          "list", "SELECT * FROM " + schema(0) + ".todoitem WHERE owner = $1 AND NOT complete ORDER BY due, id LIMIT 50", {who}};
    return {"list",
            "SELECT * FROM mandate.items WHERE mandate_tenant = $2 AND name = 'todoitem' AND item->>'owner' = $1 AND"
            " NOT (item->>'complete')::boolean ORDER BY (item->>'due')::bigint, id LIMIT 50",
            {who, name(0)}};
  }
  Statement audit(int tenant) {
    return room("audit", tenant,
                "INSERT INTO @.audit (%at, time, type, client_id, user_id, target, connection, reason,"
                " details, ip, request_id) VALUES (%%$1, 1760000000000, 's', 'todo', 'github|1', '', 'github', '', '{}',"
                " '192.0.2.1', '0199f3a0')",
                std::to_string(++at_));
  }
  static std::string key(int row) { return "0199f3a0-5c1e-7000-8000-00000000000" + std::to_string(row); }

 private:
  // "#" and "%" become the tenant's condition, column and value where the table is shared.
  Statement room(const std::string& shape, int tenant, std::string sql, std::string value) const {
    Statement s{own_rooms() ? shape + ' ' + name(tenant) : shape,
                replaced(std::move(sql), "@", own_rooms() ? schema(tenant) : "mandate"),
                {}};
    s.sql = replaced(s.sql, "%%", own_rooms() ? "" : "$2, ");
    s.sql = replaced(s.sql, "%", own_rooms() ? "" : "mandate_tenant, ");
    s.sql = replaced(s.sql, "#", own_rooms() ? "" : "mandate_tenant = $2 AND ");
    s.parameters.push_back(std::move(value));
    if (!own_rooms()) s.parameters.push_back(name(tenant));
    return s;
  }

  std::string kind_;
  int tenants_;
  long long at_ = 1'760'000'000'000;
};

}  // namespace mandate::bench
