#include "oauth/grant_memory.h"

#include "base/crypto.h"

namespace mandate::oauth {
namespace {

std::string key_of(std::string_view tenant, std::string_view token) {
  return sha256(std::string(tenant) + "\n" + std::string(token));
}

std::size_t size_of(const RememberedGrant& grant) {
  // Two nodes, two keys, a control block: what the allocator takes for an entry without its texts.
  std::size_t bytes = sizeof(GrantMemory::Entry) + 320;
  const RefreshToken& t = grant.token;
  for (const std::string* text : {&t.family, &t.client_id, &t.user_id, &t.sid, &t.connection, &t.audience, &t.device}) bytes += text->size();
  for (const auto* list : {&t.scopes, &grant.amr})
    for (const std::string& text : *list) bytes += sizeof text + text.size();
  return bytes;
}

}  // namespace

GrantMemory::GrantMemory(Metrics& metrics, std::size_t most_bytes)
    : most_of_a_part_(most_bytes / parts_.size()),
      gauge_(metrics.gauge("mandate_oauth_remembered_grants_bytes", "Memory held for the next use of refresh tokens")) {}

GrantMemory::Part& GrantMemory::part_of(std::string_view key) { return parts_[static_cast<unsigned char>(key.front()) % parts_.size()]; }

void GrantMemory::drop(Part& part, std::list<Node>::iterator node) {
  part.bytes -= node->bytes;
  gauge_.add(-static_cast<double>(node->bytes));
  part.by_key.erase(node->key);
  part.nodes.erase(node);
}

GrantMemory::EntryPtr GrantMemory::find(std::string_view tenant, std::string_view token) {
  const std::string key = key_of(tenant, token);
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.by_key.find(key);
  if (found == part.by_key.end()) return nullptr;
  part.nodes.splice(part.nodes.begin(), part.nodes, found->second);
  return found->second->entry;
}

void GrantMemory::keep(std::string_view tenant, std::string_view token, RememberedGrant grant) {
  Node node;
  node.key = key_of(tenant, token);
  node.bytes = size_of(grant);
  node.entry = std::make_shared<Entry>(std::move(grant));
  Part& part = part_of(node.key);
  if (node.bytes > most_of_a_part_) return;
  const std::lock_guard lock(part.mutex);
  if (const auto found = part.by_key.find(node.key); found != part.by_key.end()) drop(part, found->second);
  while (part.bytes + node.bytes > most_of_a_part_) drop(part, std::prev(part.nodes.end()));
  part.bytes += node.bytes;
  gauge_.add(static_cast<double>(node.bytes));
  part.nodes.push_front(std::move(node));
  part.by_key.emplace(part.nodes.front().key, part.nodes.begin());
}

void GrantMemory::spend(std::string_view tenant, std::string_view token) {
  const std::string key = key_of(tenant, token);
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.by_key.find(key);
  if (found == part.by_key.end()) return;
  found->second->entry->spent = true;
  drop(part, found->second);
}

void GrantMemory::forget(std::string_view tenant, std::string_view token, const EntryPtr& entry) {
  const std::string key = key_of(tenant, token);
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.by_key.find(key);
  if (found != part.by_key.end() && found->second->entry == entry) drop(part, found->second);
}

std::size_t GrantMemory::bytes() const {
  std::size_t all = 0;
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    all += part.bytes;
  }
  return all;
}

}  // namespace mandate::oauth
