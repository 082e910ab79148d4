#include "store/postgres/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace mandate::store::postgres {
namespace {

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

bool worth_a_retry(std::string_view s) { return s == "40001" || s == "40P01" || s == "55P03"; }
bool schema_changed(std::string_view s) { return s == "42P01" || s == "42703" || s == "0A000" || s == "42804" || s == "3F000" || s == "26000"; }
bool not_a_primary(std::string_view s) { return s == "25006"; }

Error error_of(std::string_view s, std::string_view message) {
  std::string detail = "postgres " + std::string(s) + ": " + first_line(message);
  if (s == "23505") return Error(Code::conflict, "It exists already.", std::move(detail));
  if (s == "57014" || s == "55P03") return Error(Code::timeout, "The server is busy.", std::move(detail));
  if (s == "54000") return Error(Code::payload_too_large, "A value is too large.", std::move(detail));
  if (s.starts_with("22")) return Error(Code::invalid_request, "A value is out of range.", std::move(detail));
  if (s == "53100" || s == "25006" || s == "58030") return Error(Code::read_only, "The server cannot write at the moment.", std::move(detail));
  if (s == "XX001" || s == "XX002") return Error(Code::corrupt, "This data is damaged.", std::move(detail));
  if (s.starts_with("53") || s.starts_with("08") || s.starts_with("57P") || worth_a_retry(s))
    return Error(Code::overloaded, "The server is busy.", std::move(detail));
  if (s.starts_with("28")) return Error(Code::forbidden, "The database refuses this user.", std::move(detail));
  return Error(Code::server_error, "", std::move(detail));
}

Error error_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return error_of(state ? state : "", PQresultErrorMessage(result));
}

Error lost(const PGconn* connection) {
  return Error(Code::overloaded, "The server is busy.", "postgres: " + first_line(connection ? PQerrorMessage(connection) : "no connection"));
}

namespace {

Result<Answer> checked(PGconn* connection, Answer answer) {
  switch (PQresultStatus(answer.get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY: return answer;
    default: break;
  }
  if (!answer || PQstatus(connection) != CONNECTION_OK) return lost(connection);
  return error_of(answer.get());
}

/// A server that hangs keeps its sockets open: only a look at the clock ends the wait for it.
bool comes_in_time(PGconn* connection, const Patience& patience) {
  while (PQisBusy(connection)) {
    int left = -1;
    if (patience.until != std::chrono::steady_clock::time_point::max()) {
      const auto time = std::chrono::ceil<std::chrono::milliseconds>(patience.until - std::chrono::steady_clock::now()).count();
      left = static_cast<int>(std::clamp<std::int64_t>(time, 0, 3'600'000));
    }
    pollfd fds[] = {{PQsocket(connection), POLLIN, 0}, {patience.wake, POLLIN, 0}};
    const int ready = ::poll(fds, 2, left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || fds[1].revents) return false;
    if (!PQconsumeInput(connection)) return true;  // and PQgetResult says what is wrong
  }
  return true;
}

/// The last answer of what was sent, or the first refusal.
Result<Answer> answer_of(PGconn* connection, bool sent, const Patience& patience) {
  if (!sent) return lost(connection);
  Answer last;
  for (;;) {
    if (!comes_in_time(connection, patience)) {
      ::shutdown(PQsocket(connection), SHUT_RDWR);
      (void)PQconsumeInput(connection);  // notices that it is shut
      return Error(Code::overloaded, "The server is busy.", "postgres: no answer in time");
    }
    Answer next(PQgetResult(connection));
    if (!next) return checked(connection, std::move(last));
    if (PQresultStatus(last.get()) != PGRES_FATAL_ERROR || !last) last = std::move(next);
  }
}

}  // namespace

Result<Answer> run(PGconn* connection, const std::string& sql, const Patience& patience) {
  return answer_of(connection, PQsendQuery(connection, sql.c_str()) == 1, patience);
}

Result<Answer> run(PGconn* connection, const std::string& sql, std::initializer_list<std::string_view> parameters, const Patience& patience) {
  std::vector<std::string> kept(parameters.begin(), parameters.end());
  std::vector<const char*> values;
  for (const std::string& text : kept) values.push_back(text.c_str());
  return answer_of(connection, PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0) == 1,
                   patience);
}

std::string_view cell(const Answer& answer, int row, int column) {
  return {PQgetvalue(answer.get(), row, column), static_cast<std::size_t>(PQgetlength(answer.get(), row, column))};
}

}  // namespace mandate::store::postgres
