#include "tables/wire/json_patch.h"

#include <charconv>

#include "base/url.h"
#include "tables/conflicts.h"
#include "tables/importing/versions.h"
#include "tables/schema.h"

namespace mandate::tables::wire {
namespace {

constexpr std::size_t kMostSteps = 500;
/// Bytes that all copies and additions of one patch may make: a patch that doubles a document doubles it often.
constexpr std::size_t kMostBytes = 4 << 20;
constexpr std::size_t kMostDepth = 64;
constexpr int kMostTries = 4;

using Pointer = std::vector<std::string>;

Error nowhere(std::string_view path) { return Error(Code::bad_request, "The path '" + std::string(path) + "' of the patch leads nowhere."); }

/// RFC 6901: "/a~1b/0" is the member "a/b", then the first element.
Result<Pointer> pointer_of(std::string_view path) {
  Pointer out;
  if (path.empty()) return out;
  if (path[0] != '/') return Error(Code::bad_request, "A path of the patch does not begin with '/'.");
  for (std::string& token : split(path.substr(1), '/')) {
    std::string plain;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] != '~') {
        plain += token[i];
      } else if (i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
        plain += token[++i] == '0' ? '~' : '/';
      } else {
        return Error(Code::bad_request, "A path of the patch has a '~' that means nothing.");
      }
    }
    out.push_back(std::move(plain));
  }
  if (out.size() > kMostDepth) return Error(Code::bad_request, "A path of the patch is too deep.");
  return out;
}

/// The document's own spelling of a member.
void respell(const JsonObject& document, Pointer& pointer) {
  if (pointer.empty() || document.contains(pointer[0])) return;
  for (const auto& member : document) {
    const std::string_view key(member.key().data(), member.key().size());
    if (iequals(key, pointer[0])) {
      pointer[0] = key;
      return;
    }
  }
}

/// "-" is the place behind the last element, for an addition.
std::optional<std::size_t> index_of(std::string_view token, std::size_t size, bool add) {
  if (token == "-") return add ? std::optional(size) : std::nullopt;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool whole = error == std::errc{} && end == token.data() + token.size() && (token.size() == 1 || token[0] != '0');
  if (!whole || index > size || (index == size && !add)) return std::nullopt;
  return index;
}

Json* child_of(Json& parent, const std::string& token) {
  if (JsonObject* object = parent.if_object()) return object->if_contains(token);
  if (JsonArray* array = parent.if_array())
    if (const auto index = index_of(token, array->size(), false)) return &(*array)[*index];
  return nullptr;
}

Json* find(Json& document, const Pointer& pointer, std::size_t depth) {
  Json* at = &document;
  for (std::size_t i = 0; at && i < depth; ++i) at = child_of(*at, pointer[i]);
  return at;
}

std::size_t weight(const Json& value) {
  std::size_t out = 16;
  if (value.is_string()) out += value.get_string().size();
  if (const JsonArray* array = value.if_array())
    for (const Json& each : *array) out += weight(each);
  if (const JsonObject* object = value.if_object())
    for (const auto& member : *object) out += member.key().size() + weight(member.value());
  return out;
}

std::size_t depth(const Json& value) {
  std::size_t deepest = 0;
  if (const JsonArray* array = value.if_array())
    for (const Json& each : *array) deepest = std::max(deepest, depth(each));
  if (const JsonObject* object = value.if_object())
    for (const auto& member : *object) deepest = std::max(deepest, depth(member.value()));
  return deepest + 1;
}

std::optional<double> number_in(const Json& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_double()) return value.get_double();
  return std::nullopt;
}

/// Equality of RFC 6902 §4.6: numbers by their value, 5 is 5.0; members in any order.
bool same(const Json& a, const Json& b) {
  if (const auto number = number_in(a)) return number == number_in(b);
  if (const JsonArray* array = a.if_array()) {
    const JsonArray* other = b.if_array();
    return other && std::ranges::equal(*array, *other, same);
  }
  if (const JsonObject* object = a.if_object()) {
    const JsonObject* other = b.if_object();
    return other && object->size() == other->size() && std::ranges::all_of(*object, [&](const auto& member) {
      const Json* there = other->if_contains(member.key());
      return there && same(member.value(), *there);
    });
  }
  return a == b;
}

/// Carries out one patch. The document is held as a value, so that every pointer begins alike.
class Patching {
 public:
  explicit Patching(Json& document) : document_(document) {}

  Result<void> step(const JsonObject& operation) {
    const auto op = text_member(operation, "op"), path = text_member(operation, "path");
    if (!op || !path) return Error(Code::bad_request, "An operation of the patch lacks its op or path.");
    TRY(const Pointer to, pointer(*path));
    if (to.empty()) return Error(Code::bad_request, "A patch cannot replace the whole item.");
    if (*op == "remove") return remove(to, *path);
    if (*op == "move" || *op == "copy") return carry(operation, to, *path, *op == "move");
    const Json* value = operation.if_contains("value");
    if (!value) return Error(Code::bad_request, "An operation of the patch lacks its value.");
    if (*op == "test") return test(to, *path, *value);
    CHECK_OK(spend(*value, to));
    if (*op == "add") return add(to, *path, *value);
    if (*op == "replace") return replace(to, *path, *value);
    return Error(Code::bad_request, "The patch has an operation '" + std::string(*op).substr(0, 40) + "' that does not exist.");
  }

 private:
  Result<Pointer> pointer(std::string_view path) {
    TRY(Pointer out, pointer_of(path));
    respell(document_.get_object(), out);
    return out;
  }

  /// Whether a value may be put there.
  Result<void> spend(const Json& value, const Pointer& to) {
    spent_ += weight(value);
    if (spent_ > kMostBytes || to.size() + depth(value) > kMostDepth) return Error(Code::bad_request, "The patch makes the item too large.");
    return {};
  }

  Result<void> add(const Pointer& to, std::string_view path, Json value) {
    Json* parent = find(document_, to, to.size() - 1);
    if (!parent) return nowhere(path);
    if (JsonObject* object = parent->if_object()) {
      (*object)[to.back()] = std::move(value);
      return {};
    }
    JsonArray* array = parent->if_array();
    const auto index = array ? index_of(to.back(), array->size(), true) : std::nullopt;
    if (!index) return nowhere(path);
    array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return {};
  }

  Result<void> replace(const Pointer& to, std::string_view path, const Json& value) {
    if (Json* there = find(document_, to, to.size())) {
      *there = value;
      return {};
    }
    if (to.size() > 1) return nowhere(path);
    return add(to, path, value);
  }

  Result<void> remove(const Pointer& from, std::string_view path) {
    Json* parent = find(document_, from, from.size() - 1);
    if (!parent) return nowhere(path);
    if (JsonObject* object = parent->if_object()) {
      if (object->erase(from.back()) == 0 && from.size() > 1) return nowhere(path);
      return {};
    }
    JsonArray* array = parent->if_array();
    const auto index = array ? index_of(from.back(), array->size(), false) : std::nullopt;
    if (!index) return nowhere(path);
    array->erase(array->begin() + static_cast<std::ptrdiff_t>(*index));
    return {};
  }

  Result<void> carry(const JsonObject& operation, const Pointer& to, std::string_view path, bool move) {
    const auto text = text_member(operation, "from");
    if (!text) return Error(Code::bad_request, "An operation of the patch lacks its from.");
    TRY(const Pointer from, pointer(*text));
    if (move && from.size() < to.size() && std::equal(from.begin(), from.end(), to.begin()))
      return Error(Code::bad_request, "The patch moves a value into itself.");
    const Json* there = find(document_, from, from.size());
    if (!there && from.size() > 1) return nowhere(*text);
    Json value = there ? *there : Json(nullptr);
    CHECK_OK(spend(value, to));
    if (move) CHECK_OK(remove(from, *text));
    return add(to, path, std::move(value));
  }

  Result<void> test(const Pointer& at, std::string_view path, const Json& value) {
    const Json* there = find(document_, at, at.size());
    if (!there && at.size() > 1) return nowhere(path);
    if (there ? same(*there, value) : value.is_null()) return {};
    return Error(Code::conflict, "A test of the patch does not hold.");
  }

  Json& document_;
  std::size_t spent_ = 0;
};

/// What an update has to say to make `before` into `after`.
Result<JsonObject> difference(const JsonObject& before, const JsonObject& after) {
  JsonObject out;
  const auto note = [&out](std::string_view name, const Json& value) -> Result<void> {
    const Role role = role_of(Dialect::v3, name);
    if (role != Role::own && role != Role::deleted)
      return Error(Code::bad_request, "The property '" + std::string(name) + "' is set by the service.");
    if (role != Role::deleted || value.is_bool()) out[name] = value;
    return {};
  };
  for (const auto& member : after) {
    const Json* was = before.if_contains(member.key());
    if (!was || !same(*was, member.value())) CHECK_OK(note({member.key().data(), member.key().size()}, member.value()));
  }
  for (const auto& member : before)
    if (!after.contains(member.key())) CHECK_OK(note({member.key().data(), member.key().size()}, Json(nullptr)));
  return out;
}

/// Where code stands before an update, it may hide the row from the caller: nothing of a patch is then answered by what the row
/// has. bad_request unless each step writes or empties a whole property of the table's own.
Result<void> check_blind(const JsonArray& patch) {
  for (const Json& step : patch) {
    const JsonObject* object = step.if_object();
    const std::string_view op = object ? text_member(*object, "op").value_or("") : "";
    if (op == "test" || op == "copy" || op == "move") return Error(Code::bad_request, "The table's code decides about updates: a patch with '" + std::string(op) + "' is for administrators.");
    TRY(const Pointer at, pointer_of(object ? text_member(*object, "path").value_or("") : ""));
    const Role role = at.empty() ? Role::own : role_of(Dialect::v3, at[0]);
    if (at.size() > 1 || (role != Role::own && role != Role::deleted && role != Role::id))
      return Error(Code::bad_request, "The table's code decides about updates: a patch sets whole properties of the table's own.");
  }
  return {};
}

bool speaks_of_deleted(const JsonArray& patch) {
  return std::ranges::any_of(patch, [](const Json& step) {
    return step.is_object() && iequals(text_member(step.get_object(), "path").value_or(""), "/deleted");
  });
}

}  // namespace

Result<void> apply_patch(JsonObject& document, const JsonArray& patch) {
  if (patch.size() > kMostSteps) return Error(Code::bad_request, "The patch has too many operations.");
  Json whole(document);
  Patching patching(whole);
  for (const Json& step : patch) {
    if (!step.is_object()) return Error(Code::bad_request, "An operation of the patch is no object.");
    CHECK_OK(patching.step(step.get_object()));
  }
  document = std::move(whole.get_object());
  return {};
}

Task<Answer> perform_patch(Tables& tables, Script* script, Script* conflict, Act act, JsonArray patch) {
  if (importing::expects_foreign(act)) {
    Task<Act> look = importing::with_our_versions(std::move(act));
    CO_TRY(act, co_await look);
  }
  if (script && act.context.principal.level != identity::Level::admin) CO_CHECK(check_blind(patch));
  const std::string& policy = act.context.table->sync.conflicts;
  const bool decided = has_policy(act) && (conflict || policy == "client" || policy == "newest");
  for (int tried = 1;; ++tried) {
    OperationContext seeing = act.context;
    seeing.include_deleted = true;
    Task<JsonObject> look = tables.lookup(std::move(seeing), act.id);
    CO_TRY(const JsonObject before, co_await look);
    const Millis stamp = stamp_of(text_member(before, "version").value_or("")).value_or(0);
    const bool stays_deleted = bool_member(before, "deleted").value_or(false) && !speaks_of_deleted(patch);
    Act attempt = act;
    // Where the update will be refused for the row's state, that refusal goes before what is wrong with the patch. What the table
    // decides is between the row and what the patch makes of it.
    const Preconditions conditions = decided ? unconditional(act).preconditions : act.preconditions;
    const bool refused = judge(conditions, stamp, false) == Judgement::failed || stays_deleted;
    if (!refused) {
      JsonObject after = before;
      CO_CHECK(apply_patch(after, patch));
      CO_TRY(attempt.item, difference(before, after));
      attempt.made_of = stamp;
    }
    std::optional<Act> asked;
    if (decided && conflict) asked = attempt;
    Task<Answer> task = script ? script->run(std::move(attempt)) : tables.perform(std::move(attempt));
    CO_TRY(Answer answer, co_await task);
    if (asked && asked->made_of && answer.kind == Answer::Kind::stale && settles(*asked, answer)) {
      Act again = over(*std::move(asked), answer.version);
      again.conflict = std::move(answer.item);
      Task<Answer> deciding = conflict->run(std::move(again));
      CO_TRY(answer, co_await deciding);
    }
    if (answer.kind != Answer::Kind::stale || refused || tried == kMostTries) co_return answer;
  }
}

}  // namespace mandate::tables::wire
