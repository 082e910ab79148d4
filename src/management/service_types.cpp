// mandate.d.ts: a service's own tables and what its scripts are given, for editors and tsc.
#include "base/url.h"
#include "management/service_desk.h"
#include "tables/operations.h"
#include "tenant/codec/names.h"

namespace mandate::management {

namespace {

/// What surrounds the tables: arguments of the classic functions, and of the hooks in table/T.js.
constexpr std::string_view kHead = R"(// The tables of this service and what its scripts are given. Written by `mandate service types`: write it again when they change.

export interface User {
  readonly level: 'admin' | 'authenticated' | 'anonymous';
  readonly userId?: string;
  getIdentities(callback?: (error: unknown, identities: Record<string, any> | null) => void): any;
}

export interface Query<T> {
  where(condition: Partial<T> | string | ((this: T, ...values: any[]) => boolean), ...values: any[]): Query<T>;
  orderBy(...columns: (keyof T & string)[]): Query<T>;
  orderByDescending(...columns: (keyof T & string)[]): Query<T>;
  select(...columns: (keyof T & string)[]): Query<T>;
  skip(rows: number): Query<T>;
  take(rows: number): Query<T>;
  includeTotalCount(): Query<T>;
}

export interface Callbacks<R> {
  success?(result: R): void;
  error?(error: Error): void;
}

export interface TableObject<T> extends Query<T> {
  read(options?: Callbacks<T[]>): Promise<T[]>;
  lookup(id: string, options?: Callbacks<T>): Promise<T>;
  insert(item: Partial<T>, options?: Callbacks<T>): Promise<T>;
  update(item: Partial<T> & { id: string }, options?: Callbacks<T>): Promise<T>;
  del(itemOrId: string | { id: string }, options?: Callbacks<void>): Promise<void>;
  getTableName(): string;
}

export interface Request<T> {
  readonly parameters: Record<string, string>;
  execute(options?: { success?(results?: T[]): void; error?(error: Error): void; conflict?(serverItem: T): void; systemProperties?: string[] }): void;
  respond(statusOrError?: number | Error, body?: unknown): void;
}

/// `ctx` of hooks: `export async function beforeInsert(ctx: Hook<'TodoItem'>) { … }`
export interface Hook<N extends keyof Tables> {
  readonly operation: 'insert' | 'read' | 'update' | 'delete' | 'undelete';
  readonly user: User;
  readonly table: TableObject<Tables[N]>;
  item: Partial<Tables[N]>;
  readonly id: string;
  query: Query<Tables[N]>;
  result: any;
  readonly parameters: Record<string, string>;
  execute(options?: { systemProperties?: string[] }): Promise<any>;
  respond(status?: number | Error, body?: unknown): void;
  readonly tables: typeof tables;
  readonly push: any;
}

)";

constexpr std::string_view kTail = R"(
declare global {
  const tables: { getTable<N extends keyof Tables>(name: N): TableObject<Tables[N]>; getTable(name: string): TableObject<any> };
  const mssql: any;
  const push: any;
  const statusCodes: Record<string, number>;
}
)";

std::string_view type_of(store::Type type) {
  switch (type) {
    case store::Type::boolean: return "boolean";
    case store::Type::integer:
    case store::Type::real: return "number";
    case store::Type::date: return "Date";
    case store::Type::text: return "string";
    default: return "any";
  }
}

/// A member's name as TypeScript spells it.
std::string member(const std::string& name) { return tenant::column_name_problem(name).empty() ? name : to_json(Json(name)); }

std::string interface_of(const tenant::Table& table, const std::vector<std::pair<std::string, store::Type>>& columns) {
  std::string out = "  " + member(table.name) + ": {\n    id: " + (table.integer_id ? "number" : "string") + ";\n";
  for (const auto& [name, type] : columns)
    if (name != "id") out.append("    ").append(member(name)).append("?: ").append(type_of(type)).append(" | null;\n");
  return out + "  };\n";
}

}  // namespace

Task<http::Response> get_service_types(Deps& deps, http::Request& request) {
  if (!deps.tables) co_return Error(Code::not_found, "This server knows no tables.");
  CO_TRY(const Site site, site_of(deps, request));
  std::string body(kHead);
  body += "export interface Tables {\n";
  for (const auto& [lower, table] : site.service->tables) {
    tables::OperationContext context;
    context.here = site.here;
    context.service = site.service;
    context.table = &table;
    context.dialect = table.dialect == "v1" ? tables::Dialect::v1 : tables::Dialect::v2;
    Task<std::vector<std::pair<std::string, store::Type>>> looking = deps.tables->columns(std::move(context));
    CO_TRY(const auto columns, co_await looking);
    body += interface_of(table, columns);
  }
  body += "}\n";
  body += kTail;
  http::Response answer(200);
  answer.headers.set("Content-Type", "text/plain; charset=utf-8");
  answer.body = std::move(body);
  co_return answer;
}

}  // namespace mandate::management
