// $skiptoken: where a list goes on, sealed for the caller and the query it was made for (security DA-9, docs/adr/0013).
#pragma once

#include "identity/principal.h"
#include "tables/wire/family.h"

namespace mandate::tables::wire {

/// A link to a next page is good for a day, as a cursor that is not moved says less and less.
inline constexpr Millis kPageTokenLifetime = 24 * 3'600'000;

/// What a token is bound to: tenant, service, table, dialect, the caller, and what of the query decides about rows and
/// their order. Other options of the query may change from page to page.
std::string page_scope(const Turn& turn, const identity::Principal& caller);

/// Answer::last as text for a URL.
std::string seal_page(const tenant::Vault& vault, std::string_view scope, const std::vector<store::Value>& last, Millis now);
/// OperationContext::after. bad_request for what is not ours, another's, of another query, or too old.
Result<std::vector<store::Value>> open_page(const tenant::Vault& vault, std::string_view scope, std::string_view token, Millis now);

/// The keys as text, and back; bad_request.
std::string page_keys(const std::vector<store::Value>& last);
Result<std::vector<store::Value>> read_page_keys(std::string_view text);

}  // namespace mandate::tables::wire
