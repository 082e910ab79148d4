// The shape of plans and mutations: everything but the bound values. It is cheap to read off and names the prepared
// statement, so that an engine makes SQL text only when a shape is met for the first time.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace mandate::store {

/// A value for a parameter; points into the plan or mutation it was read from.
struct Bound {
  const Value* value = nullptr;  ///< null: `number` is meant
  std::int64_t number = 0;
};

/// Reused from call to call, so that a hot path allocates nothing.
struct Shape {
  std::string key;
  std::vector<Bound> bound;
  void clear() { key.clear(), bound.clear(); }
};

enum class Wanted { rows, first, count };

/// Values come in the order: owner, where, order, limit and offset.
void read_shape(const Plan& plan, Wanted wanted, Shape& out);
/// Values come in the order: cells, owner, where. Without `returning` the mutation is taken as one that gives no rows back.
void read_shape(const Mutation& mutation, Shape& out, bool returning = true);

/// The cells as written: the owner's column always carries the owner's value, whatever the caller put there (DA-3).
std::vector<const Cell*> cells_of(const Mutation& mutation);

/// The null literal: beside eq and ne it means IS [NOT] NULL.
bool null_literal(const Expr& e);
/// Whether a comparison is in dictionary order: it says so itself, or one of its sides does.
bool by_dictionary(const Expr& e);

/// Whether a mutation that touched `count` rows did what was expected of it.
bool met(Mutation::Expect expect, std::int64_t count);

/// Whether arithmetic on `e` is whole: division is whole for two integers only, and a number column is a float column
/// (mobile-backend-wire 3.3, 9.4).
bool whole(const Expr& e);

}  // namespace mandate::store
