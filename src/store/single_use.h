// The one store for objects that may be used once (design rule 2 of security 0.3): codes, states, login transactions,
// tickets, assertion ids. Kept by the hash of their handle, typed, bound, consumed by one conditional DELETE … RETURNING.
#pragma once

#include "base/crypto.h"
#include "base/json.h"
#include "store/store.h"

namespace mandate::store {

/// Which sort of thing it is; part of the key, so a ticket never passes for a code (OA-8, TK-4).
using Kind = std::string_view;

struct SingleUse {
  std::string handle;  ///< what the stranger holds; only its hash is kept
  JsonObject payload;
  Millis expires_at = 0;
};

/// The mutation that files `object` under `kind`. `bound_to` (client id, user, purpose …) must be given again to take it.
Mutation file_single_use(Kind kind, const SingleUse& object, std::string_view bound_to = {});

/// The mutation that takes it: expects exactly one row, else the batch fails with `otherwise`. Put it first in the batch
/// whose other mutations are the effect; read the payload from the outcome with `payload_of`.
Mutation take_single_use(Kind kind, std::string_view handle, std::string_view bound_to, Millis now, Code otherwise);
Result<JsonObject> payload_of(const Touched& taken);

/// File or take alone, for effects that live elsewhere.
Task<void> put(Store& store, Kind kind, SingleUse object, std::string bound_to = {});
Task<JsonObject> take(Store& store, Kind kind, std::string handle, std::string bound_to, Millis now, Code otherwise);
/// Looks without taking; nullopt when absent or expired.
Task<std::optional<JsonObject>> peek(Store& store, Kind kind, std::string handle, std::string bound_to, Millis now);

/// The mutation that removes one that has expired, if it is there and has: before filing the same handle again.
Mutation drop_expired_single_use(Kind kind, std::string_view handle, Millis now);

/// Removes what has expired; run now and then.
Mutation sweep_single_use(Millis now);

}  // namespace mandate::store
