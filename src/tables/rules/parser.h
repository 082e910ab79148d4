// Row rules as text become a tree.
//
//   rule     = or
//   or       = and *( ("||" | "or") and )
//   and      = not *( ("&&" | "and") not )
//   not      = ("!" | "not") not | compare
//   compare  = value [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "contains" | "startsWith" | "endsWith") value ]
//   value    = text | number | "true" | "false" | "null" | list | call | path | "(" or ")"
//   list     = "[" [ value *( "," value ) ] "]"
//   call     = ("contains" | "startsWith" | "endsWith" | "lower" | "upper" | "length") "(" or *( "," or ) ")"
//   path     = name *( "." name | "[" text "]" )          owner, user.id, user.claims["https://x/y"], item.done, list.owner
//   text     = 'with '' or \' inside' | "with \" inside"
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/value.h"

namespace mandate::tables::rules {

enum class Kind {
  literal,  ///< value
  list,     ///< args
  path,     ///< path
  not_, and_, or_,
  eq, ne, lt, le, gt, ge,
  in,       ///< args[0] in args[1]
  contains, starts_with, ends_with,
  lower, upper, length,
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

/// Immutable.
struct Node {
  Kind kind = Kind::literal;
  store::Value value;              ///< null, bool, int64, double or text
  std::vector<std::string> path;
  std::vector<NodePtr> args;
};

/// invalid_request: "expected a value, found '&&' (at index 7)". At most 8 KiB of text, 60 levels, 400 nodes.
Result<NodePtr> parse(std::string_view text);

/// The tree, a node a line, two blanks for each level.
std::string outline(const Node& node);
/// A rule that parses to the same tree.
std::string to_text(const Node& node);

}  // namespace mandate::tables::rules
