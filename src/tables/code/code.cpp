#include "tables/code/code.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/loop.h"
#include "base/url.h"
#include "tables/code/pack.h"

namespace mandate::tables::code {

namespace {

constexpr const char* kFiles = "service_files";
constexpr const char* kDeployments = "service_deployments";
constexpr std::size_t kPieceFiles = 100;
constexpr std::int64_t kPieceBytes = 1 << 20;

store::ExprPtr one_of(const std::vector<std::string>& hashes) {
  std::vector<store::ExprPtr> arguments{store::column("hash")};
  for (const std::string& hash : hashes) arguments.push_back(store::literal(hash));
  return store::make(store::Op::in, std::move(arguments));
}

store::ExprPtr of_version(const std::string& service, std::int64_t version) {
  return store::both(store::equals("service", service), store::equals("version", version));
}

struct Packed {
  std::string hash, text;
  std::int64_t size = 0;
};

Result<std::map<std::string, std::string>> unpack_all(const std::vector<Packed>& piece) {
  std::map<std::string, std::string> out;
  for (const Packed& file : piece) {
    TRY(std::string content, unpack(file.text, file.size));
    if (base64url(sha256(content)) != file.hash) return Error(Code::corrupt, "", "a file of a service's code has another hash");
    out.emplace(file.hash, std::move(content));
  }
  return out;
}

/// The contents of these files by their hashes, read and unpacked a piece at a time.
Task<std::map<std::string, std::string>> contents(store::Store& store, CpuPool& pool, std::map<std::string, std::int64_t> wanted) {
  std::map<std::string, std::string> out;
  auto next = wanted.begin();
  while (next != wanted.end()) {
    std::vector<std::string> hashes;
    for (std::int64_t bytes = 0; next != wanted.end() && hashes.size() < kPieceFiles && (bytes == 0 || bytes + next->second <= kPieceBytes); ++next) {
      hashes.push_back(next->first);
      bytes += next->second;
    }
    store::Plan plan;
    plan.table = kFiles;
    plan.select = {"hash", "size", "packed"};
    plan.where = one_of(hashes);
    Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
    CO_TRY(const std::vector<store::Row> rows, co_await reading);
    if (rows.size() != hashes.size()) co_return Error(Code::corrupt, "", "files of a service's code are missing");
    auto piece = std::make_shared<std::vector<Packed>>();
    for (const store::Row& row : rows) piece->push_back({std::string(row.text("hash")), std::string(row.text("packed")), row.integer("size")});
    std::function<Result<std::map<std::string, std::string>>()> work = [piece] { return unpack_all(*piece); };
    Task<std::map<std::string, std::string>> unpacking = pool.run(std::move(work));
    Result<std::map<std::string, std::string>> unpacked = co_await unpacking;
    if (!unpacked.ok()) co_return std::move(unpacked).error();
    out.merge(std::move(*unpacked));
  }
  co_return out;
}

/// Hashes that the store has.
Task<std::set<std::string>> hashes_there(store::Store& store) {
  store::Plan plan;
  plan.table = kFiles;
  plan.select = {"hash"};
  std::set<std::string> out;
  std::function<bool(const store::RowView&)> each = [&out](const store::RowView& row) {
    out.emplace(row.text(0));
    return true;
  };
  Task<store::Store::Listed> listing = store.list(std::move(plan), std::move(each));
  CO_CHECK(co_await listing);
  co_return out;
}

/// What ends these versions, and the files that no other version has.
Task<std::vector<store::Mutation>> pruning(store::Store& store, const std::string& service, std::vector<std::int64_t> old, const Manifest& fresh) {
  std::vector<store::Mutation> out;
  if (old.empty()) co_return out;
  store::Plan plan;
  plan.table = kDeployments;
  plan.select = {"service", "version", "manifest"};
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> all, co_await reading);
  std::set<std::string> needed, dropped;
  for (const auto& [path, file] : fresh.files) needed.insert(file.hash);
  for (const store::Row& row : all) {
    CO_TRY(const Manifest one, Manifest::from_text(row.text("manifest")));
    const bool goes = row.text("service") == service && std::ranges::find(old, row.integer("version")) != old.end();
    for (const auto& [path, file] : one.files) (goes ? dropped : needed).insert(file.hash);
  }
  for (const std::int64_t version : old) out.push_back(store::remove(kDeployments, of_version(service, version)));
  std::vector<std::string> piece;
  for (const std::string& hash : dropped) {
    if (!needed.contains(hash)) piece.push_back(hash);
    if (piece.size() == kPieceFiles) out.push_back(store::remove(kFiles, one_of(std::exchange(piece, {}))));
  }
  if (!piece.empty()) out.push_back(store::remove(kFiles, one_of(piece)));
  co_return out;
}

}  // namespace

/// Those who wait for a version that another call began to read.
struct CodeStore::Loading {
  std::vector<Signal<scripts::BundlePtr>*> waiting;
};

CodeStore::CodeStore(CpuPool& pool, Log& log, Metrics& metrics, std::size_t most_kept)
    : pool_(pool), log_(log), loads_(metrics.counter("mandate_service_code_loads_total", "Versions of services' code read into memory.")), most_kept_(most_kept) {}

CodeStore::~CodeStore() = default;

std::optional<scripts::BundlePtr> CodeStore::at_hand(const tenant::Tenant&, const tenant::Service& service) {
  if (service.code.version == 0) return scripts::BundlePtr();
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(service.code.hash);
  if (found == kept_.end()) return std::nullopt;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.bundle;
}

bool CodeStore::loading() const {
  const std::lock_guard lock(mutex_);
  return !loading_.empty();
}

Task<scripts::BundlePtr> CodeStore::load(tenant::Here here, const tenant::Service* service) {
  if (const auto there = at_hand(*here, *service)) co_return *there;
  const std::string hash = service->code.hash;
  Signal<scripts::BundlePtr> arrived;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Loading>& loading = loading_[hash];
    first = !loading;
    if (first) loading = std::make_shared<Loading>();
    loading->waiting.push_back(&arrived);
  }
  if (first) {
    loads_.add();
    // `here` keeps the configuration; the store outlives all tenants' work.
    spawn(read(*here.store, service->name, service->code.version, hash), [this, hash, here](Result<scripts::BundlePtr> read) {
      std::shared_ptr<Loading> loading;
      {
        const std::lock_guard lock(mutex_);
        if (read.ok()) keep(hash, *read);
        loading = std::move(loading_.extract(hash).mapped());
      }
      if (!read.ok()) log_.error("service.code.unreadable", {{"tenant", here->name}, {"code", name(read.error().code)}, {"detail", read.error().detail}});
      for (Signal<scripts::BundlePtr>* waiting : loading->waiting) waiting->set(read);
    });
  }
  Result<scripts::BundlePtr> result = co_await arrived;
  co_return result;
}

/// With the mutex held.
void CodeStore::keep(const std::string& hash, scripts::BundlePtr bundle) {
  if (kept_.contains(hash)) return;
  Entry entry;
  for (const auto& [path, content] : bundle->files) entry.bytes += path.size() + content.size();
  entry.bundle = std::move(bundle);
  uses_.push_front(hash);
  entry.use = uses_.begin();
  bytes_ += entry.bytes;
  kept_.emplace(hash, std::move(entry));
  while (bytes_ > most_kept_ && uses_.size() > 1) {
    const auto oldest = kept_.find(uses_.back());
    bytes_ -= oldest->second.bytes;
    kept_.erase(oldest);
    uses_.pop_back();
  }
}

Task<scripts::BundlePtr> CodeStore::read(store::Store& store, std::string service, std::int64_t version, std::string hash) {
  Task<Manifest> listing = code::manifest(store, service, version);
  CO_TRY(const Manifest whole, co_await listing);
  if (whole.hash() != hash) co_return Error(Code::corrupt, "", "version " + std::to_string(version) + " of " + service + " is not the one of the configuration");
  Manifest wanted;
  for (const auto& [path, file] : whole.files)
    if (for_scripts(path)) wanted.files.emplace(path, file);
  Task<Files> reading = files(store, std::move(wanted));
  Result<Files> read = co_await reading;
  if (!read.ok()) co_return std::move(read).error();
  auto bundle = std::make_shared<scripts::Bundle>();
  bundle->version = std::move(hash);
  for (auto& [path, content] : *read)
    if (valid_utf8(content)) bundle->files.emplace(path, std::move(content));
  co_return scripts::BundlePtr(std::move(bundle));
}

Task<Manifest> CodeStore::manifest_of(const Files& files) {
  Manifest out;
  auto next = files.begin();
  while (next != files.end()) {
    std::vector<const std::pair<const std::string, std::string>*> piece;
    for (std::size_t bytes = 0; next != files.end() && bytes <= static_cast<std::size_t>(kPieceBytes); ++next) piece.push_back(&*next), bytes += next->second.size() + 100;
    std::function<Result<std::vector<std::string>>()> work = [piece]() -> Result<std::vector<std::string>> {
      std::vector<std::string> hashes;
      for (const auto* file : piece) hashes.push_back(base64url(sha256(file->second)));
      return hashes;
    };
    Task<std::vector<std::string>> hashing = pool_.run(std::move(work));
    CO_TRY(std::vector<std::string> hashes, co_await hashing);
    for (std::size_t i = 0; i < piece.size(); ++i) out.files[piece[i]->first] = {std::move(hashes[i]), static_cast<std::int64_t>(piece[i]->second.size())};
  }
  co_return out;
}

Task<Files> CodeStore::files(store::Store& store, Manifest manifest) {
  std::map<std::string, std::int64_t> wanted;
  for (const auto& [path, file] : manifest.files) wanted.emplace(file.hash, file.size);
  Task<std::map<std::string, std::string>> reading = contents(store, pool_, std::move(wanted));
  CO_TRY(const auto read, co_await reading);
  Files out;
  for (const auto& [path, file] : manifest.files) out.emplace(path, read.at(file.hash));
  co_return out;
}

Task<std::vector<store::Mutation>> CodeStore::filing(store::Store& store, std::string service, Version version, std::int64_t active,
                                                const Manifest& manifest, const Files& files) {
  std::vector<store::Mutation> out;
  Task<std::set<std::string>> looking = hashes_there(store);
  CO_TRY(std::set<std::string> there, co_await looking);
  auto next = manifest.files.begin();
  while (next != manifest.files.end()) {
    std::vector<std::pair<const FileRef*, const std::string*>> piece;
    for (std::int64_t bytes = 0; next != manifest.files.end() && bytes <= kPieceBytes; ++next) {
      if (!there.insert(next->second.hash).second) continue;
      piece.emplace_back(&next->second, &files.find(next->first)->second);
      bytes += next->second.size + 100;
    }
    std::function<Result<std::vector<std::string>>()> work = [piece]() -> Result<std::vector<std::string>> {
      std::vector<std::string> packed;
      for (const auto& [file, content] : piece) packed.push_back(pack(*content));
      return packed;
    };
    Task<std::vector<std::string>> packing = pool_.run(std::move(work));
    CO_TRY(std::vector<std::string> packed, co_await packing);
    for (std::size_t i = 0; i < piece.size(); ++i)
      out.push_back(store::upsert(kFiles, {"hash"}, {{"hash", piece[i].first->hash}, {"size", piece[i].first->size}, {"packed", std::move(packed[i])}}));
  }
  out.push_back(store::insert(kDeployments, {{"service", service}, {"version", version.version}, {"manifest", manifest.to_text()},
                                             {"files", static_cast<std::int64_t>(manifest.files.size())}, {"bytes", manifest.bytes()},
                                             {"made_at", version.made_at}, {"note", version.note}}));
  Task<std::vector<Version>> listing = versions(store, service);
  CO_TRY(const std::vector<Version> all, co_await listing);
  std::vector<std::int64_t> old;
  for (std::size_t i = static_cast<std::size_t>(kKept) - 1; i < all.size(); ++i)
    if (all[i].version != active) old.push_back(all[i].version);
  Task<std::vector<store::Mutation>> ending = pruning(store, service, std::move(old), manifest);
  CO_TRY(std::vector<store::Mutation> ended, co_await ending);
  for (store::Mutation& each : ended) out.push_back(std::move(each));
  co_return out;
}

scripts::BundlePtr bundle_of(const Files& files, std::string version) {
  auto out = std::make_shared<scripts::Bundle>();
  out->version = std::move(version);
  for (const auto& [path, content] : files)
    if (for_scripts(path) && valid_utf8(content)) out->files.emplace(path, content);
  return out;
}

Task<std::vector<Version>> versions(store::Store& store, std::string service) {
  store::Plan plan;
  plan.table = kDeployments;
  plan.select = {"version", "files", "bytes", "made_at", "note"};
  plan.where = store::equals("service", service);
  plan.order = {{store::column("version", store::Type::integer), true}};
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  std::vector<Version> out;
  for (const store::Row& row : rows)
    out.push_back({row.integer("version"), row.integer("files"), row.integer("bytes"), row.integer("made_at"), std::string(row.text("note"))});
  co_return out;
}

Task<Manifest> manifest(store::Store& store, std::string service, std::int64_t version) {
  store::Plan plan;
  plan.table = kDeployments;
  plan.select = {"manifest"};
  plan.where = of_version(service, version);
  Task<std::optional<store::Row>> reading = store.get(std::move(plan));
  CO_TRY(const std::optional<store::Row> row, co_await reading);
  if (!row) co_return Error(Code::not_found, "Service '" + service + "' has no version " + std::to_string(version) + ".");
  co_return Manifest::from_text(row->text("manifest"));
}

Task<std::vector<store::Mutation>> forgetting(store::Store& store, std::string service) {
  Task<std::vector<Version>> listing = versions(store, service);
  CO_TRY(const std::vector<Version> all, co_await listing);
  std::vector<std::int64_t> every;
  for (const Version& each : all) every.push_back(each.version);
  const Manifest none;
  Task<std::vector<store::Mutation>> ending = pruning(store, service, std::move(every), none);
  Result<std::vector<store::Mutation>> ended = co_await ending;
  if (ended.ok() || ended.error().code != Code::corrupt) co_return ended;
  // Which files others need cannot be told any more: they stay, the service goes.
  std::vector<store::Mutation> out;
  out.push_back(store::remove(kDeployments, store::equals("service", service)));
  co_return out;
}

}  // namespace mandate::tables::code
