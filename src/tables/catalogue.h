// The schemas of all tables of all tenants, kept as long as nothing changes them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "store/migrate.h"
#include "tables/schema.h"

namespace mandate::tables {

/// Tables table_shapes and table_sequences.
extern const std::span<const store::Migration> kMigrations;

/// Thread-safe. A shape is read from the engine once and kept until someone changes it: every change is noted in
/// `table_shapes`, which each catalogue watches.
class Catalogue {
 public:
  using SchemaPtr = std::shared_ptr<const Schema>;
  Catalogue(const Clock& clock, Log& log);
  ~Catalogue();

  /// The table's schema. Makes the physical table, and declared columns it lacks, from the configuration.
  Task<SchemaPtr> get(const OperationContext& context);
  /// Adds columns; when someone else was faster, theirs stay. The schema afterwards.
  Task<SchemaPtr> extend(const OperationContext& context, std::vector<store::ColumnSpec> columns);
  /// Brings an existing table's columns and indexes to what `table` declares, before that is the configuration. invalid_request:
  /// a column that is there with another type, rows that are not unique; the hint says which.
  Task<void> prepare(store::Store& store, const tenant::Service& service, const tenant::Table& table);
  Task<void> drop(store::Store& store, std::string physical);

  /// The next id of an integer-id table: 1, 2, 3 …; never given twice, holes are possible under contention.
  Task<std::int64_t> next_id(const OperationContext& context);

 private:
  struct House {
    std::map<std::string, SchemaPtr, std::less<>> schemas;
    std::unique_ptr<store::Store::Watch> watch;
    std::uint64_t generation = 0;  ///< grows with every change that was seen
  };
  struct Block {
    std::int64_t next = 0, end = 0, size = 1;
  };
  using Key = std::pair<store::Store*, std::string>;

  SchemaPtr kept(const OperationContext& context, std::string_view physical);
  /// Starts the watch too: ask before reading a shape.
  std::uint64_t generation(store::Store* store);
  /// Keeps nothing when a change was seen since `generation`: what was read may be older than that change.
  void keep(store::Store* store, std::uint64_t generation, SchemaPtr schema);
  void forget(store::Store* store);
  /// The columns of a table that has at least those wanted.
  Task<std::vector<store::ColumnSpec>> made(store::Store& store, std::string physical, std::vector<store::ColumnSpec> wanted);
  Task<SchemaPtr> load(const OperationContext& context, std::string physical, std::vector<store::ColumnSpec> wanted);

  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::map<store::Store*, House> houses_;
  std::map<Key, Block> blocks_;
};

}  // namespace mandate::tables
