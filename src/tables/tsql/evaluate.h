// Values and conditions over one tuple. Inside the stage only.
#pragma once

#include <map>

#include "tables/tsql/machine.h"

namespace mandate::tables::tsql {

/// The rows that columns of one select mean, inside those of the select around it.
struct Frame {
  const Frame* outer = nullptr;
  const Row* const* rows = nullptr;         ///< by source; null: none at all
  const std::vector<Value>* aggregates = nullptr;
};

class Evaluator {
 public:
  Evaluator(const std::vector<Value>& parameters, const Surroundings& around, Deadline until)
      : parameters_(parameters), around_(around), until_(until) {}
  virtual ~Evaluator() = default;
  Evaluator(const Evaluator&) = delete;

  Result<Value> value(const Expr& e, const Frame& frame);
  Result<Truth> truth(const Expr& e, const Frame& frame);
  /// timeout once the statement's time is over; asked for each tuple, and for what a function made by its weight.
  Result<void> step(std::uint64_t weight = 1);

 protected:
  /// The rows of a subselect; `one`: nobody looks at more than the first.
  virtual Result<std::shared_ptr<const Rows>> subselect(const Query& query, const Frame& frame, bool one) = 0;

 private:
  /// What `e` is, without a copy where it stands somewhere already.
  Result<const Value*> look(const Expr& e, const Frame& frame, Value& hold);
  Result<Truth> comparison(const Expr& e, const Frame& frame);
  Result<Truth> member(const Expr& e, const Frame& frame);
  Result<Truth> alike(const Expr& e, const Frame& frame);
  Result<Truth> between(const Expr& e, const Frame& frame);
  Result<Value> choice(const Expr& e, const Frame& frame);
  Result<Value> call(const Expr& e, const Frame& frame);

  const std::vector<Value>& parameters_;
  const Surroundings& around_;
  Deadline until_;
  std::uint64_t steps_ = 0;
};

}  // namespace mandate::tables::tsql
