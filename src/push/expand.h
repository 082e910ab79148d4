// From a send to the messages of its devices.
#pragma once

#include "push/registrations.h"

namespace mandate::push {

/// The next page of the devices that `send` (a row of push_sends, filed) means becomes deliveries, together with how far
/// the send is. conflict when another did it first. The row must live until it is done.
Task<void> expand(store::Store& store, Registrations& registrations, const store::Row& send, const Clock& clock, Random& random);

}  // namespace mandate::push
