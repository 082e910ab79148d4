#include "store/postgres/binder.h"

#include <algorithm>

namespace mandate::store::postgres {
namespace {

// Bytes that no SQL made here holds otherwise: names and literals with them are refused by check_name, values never enter.
constexpr char kLeadMark = '\1', kBoundMark = '\2', kArraysMark = '\3';

Kind kind_of_lead(Lead lead) { return lead == Lead::tenant ? Kind::text : Kind::int8; }

unsigned array_of(Kind kind) {
  switch (kind) {
    case Kind::boolean: return 1000;
    case Kind::int8: return 1016;
    case Kind::float8: return 1022;
    default: return 1009;
  }
}

}  // namespace

std::string Binder::lead(Lead lead) {
  auto& all = statement_.lead;
  auto found = std::find(all.begin(), all.end(), lead);
  if (found == all.end()) found = all.insert(all.end(), lead);
  return std::string(1, kLeadMark) + static_cast<char>('0' + (found - all.begin()));
}

std::string Binder::bind(Kind kind) {
  statement_.bound.push_back(kind == Kind::numeric ? Kind::float8 : kind);
  return std::string(1, kBoundMark) + std::to_string(statement_.bound.size() - 1) + kBoundMark;
}

std::string Binder::arrays(std::string_view alias) { return std::string(1, kArraysMark) + std::string(alias) + kArraysMark; }

std::string Binder::finish(std::string_view text) {
  const bool lead_in_arrays = style_ == Style::arrays, bound_in_arrays = style_ != Style::plain;
  std::vector<std::size_t> position(statement_.bound.size());  // of each value among the parameters, from 1
  std::vector<std::string> columns;                            // of the arrays
  for (std::size_t i = 0; i < statement_.lead.size(); ++i) {
    const Kind kind = kind_of_lead(statement_.lead[i]);
    statement_.types.push_back(lead_in_arrays ? array_of(kind) : static_cast<unsigned>(kind));
    if (lead_in_arrays) columns.push_back("$" + std::to_string(i + 1));
  }
  for (std::size_t i = 0; i < statement_.bound.size(); ++i) {
    if (statement_.bound[i] == Kind::none) continue;
    statement_.types.push_back(bound_in_arrays ? array_of(statement_.bound[i]) : static_cast<unsigned>(statement_.bound[i]));
    position[i] = statement_.types.size();
    if (bound_in_arrays) columns.push_back("$" + std::to_string(position[i]));
  }
  std::string_view alias = "mandate_k";
  const auto in_arrays = [&](std::size_t parameter) {
    const std::size_t before = lead_in_arrays ? 0 : statement_.lead.size();
    return std::string(alias) + ".p" + std::to_string(parameter - before);
  };
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == kLeadMark) {
      const auto parameter = static_cast<std::size_t>(text[++at] - '0') + 1;
      out += lead_in_arrays ? in_arrays(parameter) : "$" + std::to_string(parameter);
    } else if (text[at] == kBoundMark) {
      const std::size_t end = text.find(kBoundMark, at + 1);
      const std::size_t parameter = position[std::stoul(std::string(text.substr(at + 1, end - at - 1)))];
      out += bound_in_arrays ? in_arrays(parameter) : "$" + std::to_string(parameter);
      at = end;
    } else if (text[at] == kArraysMark) {
      const std::size_t end = text.find(kArraysMark, at + 1);
      std::string names;
      out += "unnest(";
      for (std::size_t i = 0; i < columns.size(); ++i) {
        out += (i ? ", " : "") + columns[i];
        names += "p" + std::to_string(i + 1) + ", ";
      }
      out += ") WITH ORDINALITY AS " + std::string(text.substr(at + 1, end - at - 1)) + "(" + names + "o)";
      at = end;
    } else {
      out += text[at];
    }
  }
  return out;
}

}  // namespace mandate::store::postgres
