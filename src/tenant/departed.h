// A service that was deleted and whose rows are not all gone yet.
//
// Rows are of many tables, and some of those are dropped: that is no one batch. So the change of configuration by which a service
// goes leaves a note, one object of kind::kDepartedService in the same batch: {"tables":["todoitem", …]}, the tables that were
// declared, in lower case. While the note is there nobody makes a service of that name; who has removed all rows removes it.
#pragma once

#include "tenant/objects.h"

namespace mandate::tenant {

ObjectKey departed_key(std::string service);
/// The note for a service of `current`; to be written with `revision`.
StoredObject departed_note(const Objects& current, const std::string& service, std::uint64_t revision);
/// The tables that it names.
std::vector<std::string> tables_of(const StoredObject& note);
/// Goes into each transaction that removes what is left: fails it with conflict when the note is gone, or a service of that name is
/// there all the same (a server that knows no notes made it).
std::vector<store::Mutation> still_departed(const std::string& service);
/// conflict: a service of that name was deleted and is not all gone. Asked before one is made.
Error still_leaving(const std::string& service);

}  // namespace mandate::tenant
