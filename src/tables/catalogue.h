// The schemas of all tables of all tenants, kept as long as nothing changes them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/loop.h"
#include "store/migrate.h"
#include "store/pieces.h"
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
  /// Gives an existing table the unique indexes over columns it has that `table` declares, before that is the configuration; what
  /// others need stays. invalid_request: a column that is there with another type, rows that are not unique; the hint says which.
  Task<void> prepare(store::Store& store, const tenant::Service& service, const tenant::Table& table);
  /// Gives an existing table the columns that the tenant's configuration declares, and its indexes and no others. What fails for
  /// a passing reason is tried again behind, when somebody uses the table.
  Task<void> settle(store::Store& store, const tenant::Service& service, const tenant::Table& table);
  /// `permit`, which may be null, is asked before each step: the table itself goes by no transaction.
  Task<void> drop(store::Store& store, std::string physical, store::Permit* permit = nullptr);
  /// Physical names that begin so, of tables that were ever made and are not dropped.
  Task<std::vector<std::string>> known(store::Store& store, std::string prefix);

  /// The next id of an integer-id table: 1, 2, 3 …; never given twice, holes are possible under contention.
  Task<std::int64_t> next_id(const OperationContext& context);
  /// Ids from `first` to `last` are not given any more, on other nodes as soon as they hear of it; those that are given from now on are
  /// larger, but for such as somebody has taken out already.
  Task<void> pass_ids(const OperationContext& context, std::int64_t first, std::int64_t last);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  /// Whether a table has the indexes of a configuration: looked after once for each revision. Rows that are not unique are the end
  /// of it; what fails for any other reason is tried again, by who uses the table then.
  struct Indexed {
    std::optional<std::uint64_t> revision;
    bool under_way = false;
    bool too_many = false;          ///< a settling has failed: next time those go that the configuration does not name
    int failures = 0;               ///< one after the other
    std::optional<Moment> again;    ///< when to try again
    std::vector<std::shared_ptr<Signal<bool>>> waiting;  ///< for the end of what is under way
  };
  struct House {
    std::map<std::string, SchemaPtr, std::less<>> schemas;
    std::map<std::string, Indexed, std::less<>> indexed;
    Moment due = Moment::max();  ///< no index of the house is tried again before
    std::uint64_t newest = 0;  ///< revision of the configuration; requests of an older one may still be on their way
    std::unique_ptr<store::Store::Watch> watch;
    std::uint64_t generation = 0;  ///< grows with every change that was seen
  };
  struct Block {
    std::int64_t next = 0, end = 0, size = 1;
  };
  using Key = std::pair<store::Store*, std::string>;

  /// `due`: an index of the table is to be tried again.
  SchemaPtr kept(const OperationContext& context, std::string_view physical, bool& due);
  /// Starts the watch too: ask before reading a shape.
  std::uint64_t generation(store::Store* store);
  /// Keeps nothing when a change was seen since `generation`: what was read may be older than that change. Nor what was made for
  /// an older configuration than another request knows.
  void keep(store::Store* store, std::uint64_t generation, SchemaPtr schema);
  void forget(store::Store* store);
  /// The columns of a table that has at least those wanted.
  Task<std::vector<store::ColumnSpec>> made(store::Store& store, std::string physical, std::vector<store::ColumnSpec> wanted);
  /// Others are to read the table's shape anew, and the table is known().
  Task<void> note(store::Store& store, std::string physical);
  /// Makes the indexes that a table lacks, see Indexed; who comes meanwhile waits. Drops none: another node may know a newer
  /// configuration, or be about to make one. But `again`, when it is due: what settle() could not drop goes.
  Task<void> index(store::Store& store, std::string physical, std::vector<store::IndexSpec> indexes, std::uint64_t revision, bool again);
  Task<void> settle_now(store::Store& store, std::string physical, const tenant::Table& table);
  /// What came of a try; with the mutex held. Only what passes is tried again, later each time.
  void note(House& house, Indexed& indexed, const Result<void>& tried);
  Task<SchemaPtr> load(const OperationContext& context, std::string physical, std::vector<store::ColumnSpec> wanted);

  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::map<store::Store*, House> houses_;
  std::map<Key, Block> blocks_;
};

/// invalid_request when the table has a declared column with another type; the hint says which. Reads only.
Task<void> check_columns(store::Store& store, const tenant::Service& service, const tenant::Table& table);

}  // namespace mandate::tables
