#include "store/sqlite/reader.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {
namespace {
constexpr int kStride = 1000;        // steps between two looks at the budget
constexpr std::int64_t kStep = 8;    // bytes of text that take a function as long as a step
constexpr std::chrono::milliseconds kLoopTime{20};
}

class Page::View final : public RowView {
 public:
  View(const Page& page, std::size_t row) : page_(page), first_(page.items_.data() + row * page.names_->size()) {}
  std::size_t size() const override { return page_.names_->size(); }
  std::string_view name(std::size_t c) const override { return (*page_.names_)[c]; }
  bool null(std::size_t c) const override { return first_[c].kind == SQLITE_NULL; }
  std::int64_t integer(std::size_t c) const override {
    if (first_[c].kind == SQLITE_INTEGER) return first_[c].integer;
    if (first_[c].kind == SQLITE_FLOAT && first_[c].real > -9.2e18 && first_[c].real < 9.2e18)
      return static_cast<std::int64_t>(first_[c].real);
    return 0;
  }
  double real(std::size_t c) const override {
    return first_[c].kind == SQLITE_FLOAT ? first_[c].real : static_cast<double>(integer(c));
  }
  std::string_view text(std::size_t c) const override {
    if (first_[c].kind != SQLITE_TEXT) return {};
    return std::string_view(page_.bytes_).substr(first_[c].at, first_[c].size);
  }
  Value value(std::size_t c) const override {
    switch (first_[c].kind) {
      case SQLITE_INTEGER: return first_[c].integer;
      case SQLITE_FLOAT: return first_[c].real;
      case SQLITE_TEXT: return std::string(text(c));
      default: return {};
    }
  }

 private:
  const Page& page_;
  const Item* first_;
};

void Page::add(sqlite3_stmt* s, int i) {
  Item item{static_cast<unsigned char>(sqlite3_column_type(s, i)), 0, {0}};
  if (item.kind == SQLITE_INTEGER) {
    item.integer = sqlite3_column_int64(s, i);
  } else if (item.kind == SQLITE_FLOAT) {
    item.real = sqlite3_column_double(s, i);
  } else if (item.kind != SQLITE_NULL) {
    item.kind = SQLITE_TEXT;
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, i));
    item.size = static_cast<std::uint32_t>(sqlite3_column_bytes(s, i));
    item.at = bytes_.size();
    bytes_.append(text ? text : "", item.size);
  }
  items_.push_back(item);
}

void Page::deliver(const std::function<bool(const RowView&)>& each) {
  for (std::size_t row = 0; row < rows_; ++row) {
    ++listed.rows;
    if (!each(View(*this, row))) return;
  }
}

Reader::Reader(Db db, const std::atomic<std::uint64_t>& commits)
    : db_(std::move(db)), meter_(meter_of(db_.get())), statements_(db_.get()), commits_(commits) {}

Result<std::unique_ptr<Reader>> Reader::open(const Place& place, const std::atomic<std::uint64_t>& commits) {
  TRY(Db db, connect(place, Access::read));
  std::unique_ptr<Reader> reader(new Reader(std::move(db), commits));
  TRY(reader->begin_, prepare(reader->db(), "BEGIN"));
  TRY(reader->commit_, prepare(reader->db(), "COMMIT"));
  sqlite3_progress_handler(reader->db(), kStride, [](void* self) -> int { return static_cast<Reader*>(self)->spend(kStride); }, reader.get());
  const auto enough = [](void* self, std::int64_t bytes) { return static_cast<Reader*>(self)->spend(bytes / kStep); };
  reader->meter_.watch(enough, reader.get(), true);
  return reader;
}

Result<void> Reader::begin() {
  // A commit since the snapshot was taken may already be acknowledged to somebody: never answer from before it.
  const std::uint64_t commits = commits_.load(std::memory_order_acquire);
  if (in_snapshot_ && seen_ == commits) return {};
  end_snapshot();
  CHECK_OK(run(begin_.get(), Access::read));
  in_snapshot_ = true;
  seen_ = commits;
  return {};
}

void Reader::end_snapshot() {
  if (!std::exchange(in_snapshot_, false)) return;
  if (!run(commit_.get(), Access::read).ok()) (void)execute(db_.get(), "ROLLBACK", Access::read);
}

/// True when the reading must end.
bool Reader::spend(std::int64_t steps) {
  if (meter_.over()) return true;
  const auto now = std::chrono::steady_clock::now();
  if (now > budget_.until) return true;
  if (!budget_.steps) return false;
  spent_ += steps;
  if (loop_until_ == kNoDeadline) loop_until_ = now + kLoopTime;
  slow_ = spent_ > budget_.steps;
  return outran_steps_ = slow_ || now > loop_until_;
}

void Reader::set_budget(Budget budget) {
  budget_ = budget;
  spent_ = 0;
  loop_until_ = kNoDeadline;
  outran_steps_ = slow_ = false;
  meter_.reset();
}

Result<std::optional<Row>> Reader::first(const Plan& plan, Budget budget) {
  CHECK_OK(begin());
  set_budget(budget);
  Result<std::optional<Row>> row = read_first(plan, budget);
  if (!row.ok() || !shared_) end_snapshot();
  return row;
}

Result<Page> Reader::page(const Plan& plan, Budget budget) {
  CHECK_OK(begin());
  set_budget(budget);
  Page page;
  Result<void> done = read_into(page, plan, Wanted::rows, budget);
  if (done.ok() && plan.count) done = read_into(page, plan, Wanted::count, budget);
  if (!done.ok() || !shared_) end_snapshot();
  CHECK_OK(std::move(done));
  return page;
}

/// Within a snapshot, so that a statement is prepared against the schema it will read.
Result<Prepared*> Reader::prepared_for(const Plan& plan, Wanted wanted, Budget budget) {
  TRY(Prepared * prepared, statements_.get(plan, wanted, shape_));
  if (budget.steps && prepared->slow) {
    outran_steps_ = true;
    return Error(Code::timeout, "The query took too long.");
  }
  prepared->bind(shape_.bound);
  return prepared;
}

Result<std::optional<Row>> Reader::read_first(const Plan& plan, Budget budget) {
  TRY(Prepared * prepared, prepared_for(plan, Wanted::first, budget));
  sqlite3_stmt* s = prepared->statement.get();
  const Running running(s);
  int rc = sqlite3_step(s);
  if (meter_.over()) rc = SQLITE_INTERRUPT;  // the collation guessed
  if (rc == SQLITE_DONE) return std::optional<Row>();
  if (rc != SQLITE_ROW) {
    prepared->slow |= slow_;
    return error_of(db_.get(), rc, Access::read);
  }
  const auto& names = prepared->names();
  std::vector<Value> cells;
  cells.reserve(names->size());
  for (std::size_t i = 0; i < names->size(); ++i) cells.push_back(column(s, static_cast<int>(i)));
  return std::optional<Row>(std::in_place, names, std::move(cells));
}

Result<void> Reader::read_into(Page& page, const Plan& plan, Wanted wanted, Budget budget) {
  TRY(Prepared * prepared, prepared_for(plan, wanted, budget));
  sqlite3_stmt* s = prepared->statement.get();
  const Running running(s);
  int rc;
  while ((rc = sqlite3_step(s)) == SQLITE_ROW && !meter_.over()) {
    if (wanted == Wanted::count) {
      page.listed.total = sqlite3_column_int64(s, 0);
      continue;
    }
    if (plan.most_bytes && page.size() >= plan.most_bytes) {
      page.listed.cut = true;
      return {};
    }
    if (!page.rows_++) page.names_ = prepared->names();
    for (int i = 0, n = static_cast<int>(page.names_->size()); i < n; ++i) page.add(s, i);
  }
  if (meter_.over()) rc = SQLITE_INTERRUPT;  // the collation guessed
  if (rc == SQLITE_DONE) return {};
  prepared->slow |= slow_;
  return error_of(db_.get(), rc, Access::read);
}

}  // namespace mandate::store::sqlite
