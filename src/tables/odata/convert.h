// A typed value becomes one of another type: literals before the store sees them, columns by functions of the store.
#pragma once

#include "tables/odata/typing.h"

namespace mandate::tables::odata {

bool numeric(Edm edm);
/// Whether values of both compare without being converted.
bool same_kind(Edm a, Edm b);
/// "Bad request", with the two types for the log.
Error mismatch(Edm a, Edm b);

/// A literal as another type, by the rules of an insert; dates never become numbers or the reverse. `like` is the column whose
/// value it is to be, or null.
Result<Typed> convert_literal(const Typed& literal, Edm to, const Meaning* like = nullptr);

/// cast(value, Edm.…).
Result<Typed> cast(const Typed& value, Edm to);

}  // namespace mandate::tables::odata
