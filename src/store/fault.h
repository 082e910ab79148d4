// A store whose Nth call fails, so that tests can fail the first call, then the second, then the third … until the act
// under test succeeds: each time the right answer or a clean error, never half of each.
#pragma once

#include "store/store.h"

namespace mandate::store {

/// Wraps another store. Counts every awaitable call; one loop at a time.
class FaultStore final : public Store {
 public:
  explicit FaultStore(Store& inner) : inner_(inner) {}
  explicit FaultStore(std::unique_ptr<Store> inner) : owned_(std::move(inner)), inner_(*owned_) {}

  /// How the call fails: before it did anything, or after it was done (the answer is lost on the way back).
  enum class When { before, after };

  /// The `nth` call from now (from 1) fails with `error`; 0 = none does.
  void fail(int nth, Error error = Error(Code::read_only, "The server cannot write at the moment."), When when = When::before) {
    left_ = nth;
    calls_ = 0;
    fired_ = false;
    error_ = std::move(error);
    when_ = when;
  }
  /// Calls since `fail`, and whether the failure has happened.
  int calls() const { return calls_; }
  bool fired() const { return fired_; }

  Capabilities capabilities() const override { return inner_.capabilities(); }
  Task<std::optional<Row>> get(Plan plan) override;
  Task<Listed> list(Plan plan, std::function<bool(const RowView&)> each) override;
  Task<Outcome> mutate(Batch batch) override;
  Task<void> ensure_table(std::string table, std::vector<ColumnSpec> columns) override;
  Task<void> ensure_indexes(std::string table, std::vector<IndexSpec> indexes) override;
  Task<void> drop_table(std::string table) override;
  Task<std::vector<ColumnSpec>> describe(std::string table) override;
  Task<std::string> check() override;
  std::unique_ptr<Watch> watch(std::vector<std::string> tables, std::function<void(std::string_view)> changed) override {
    return inner_.watch(std::move(tables), std::move(changed));
  }
  bool writable() const override { return inner_.writable(); }
  const std::atomic<std::uint64_t>* changes(std::string_view table) override { return inner_.changes(table); }
  const std::atomic<std::uint64_t>* commits(std::string_view table) override { return inner_.commits(table); }

 private:
  template <class T>
  Task<T> counted(Task<T> call);

  std::unique_ptr<Store> owned_;
  Store& inner_;
  int left_ = 0, calls_ = 0;
  bool fired_ = false;
  Error error_{Code::read_only};
  When when_ = When::before;
};

}  // namespace mandate::store
