// A connection of the tenancy bench: statements by name, pipelined.
#pragma once

#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace mandate::bench {

using Texts = std::vector<std::string>;
inline constexpr std::size_t kRemember = 1000;  // prepared statements of a connection

[[noreturn]] inline void fail(const std::string& what, PGconn* conn) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), PQerrorMessage(conn));
  std::exit(1);
}

/// One connection; statements are prepared by name and the least recently used of `kRemember` is given back.
class Connection {
 public:
  explicit Connection(const std::string& conninfo) : conn_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(conn_) != CONNECTION_OK) fail("connect", conn_);
    (void)run("SET client_min_messages = error");
  }
  ~Connection() { PQfinish(conn_); }
  Connection(const Connection&) = delete;

  /// Several statements, one transaction; the cells of the last result.
  Texts run(const std::string& sql) {
    PGresult* result = PQexec(conn_, sql.c_str());
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(sql.substr(0, 200), conn_);
    Texts cells;
    for (int row = 0; row < PQntuples(result); ++row)
      for (int column = 0; column < PQnfields(result); ++column) cells.emplace_back(PQgetvalue(result, row, column));
    PQclear(result);
    return cells;
  }
  double number(const std::string& sql) { return std::atof(run(sql).at(0).c_str()); }
  /// Memory that is this backend's alone, in KB. Not "private" of smaps: shared buffers that only it touched count there.
  double memory() const {
    std::ifstream file("/proc/" + std::to_string(PQbackendPID(conn_)) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("Anonymous:")) return std::atof(line.c_str() + 10);
    return 0;
  }

  void begin_pipeline() { (void)PQenterPipelineMode(conn_); }
  /// Sends a statement, prepared first when it is not known, and a Sync.
  void send(const std::string& name, const std::string& sql, const Texts& parameters) {
    if (const auto known = known_.find(name); known != known_.end()) {
      recent_.splice(recent_.begin(), recent_, known->second);
    } else {
      if (recent_.size() == kRemember) {
        const std::string drop = "DEALLOCATE \"" + recent_.back() + '"';
        if (!PQsendQueryParams(conn_, drop.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0)) fail(drop, conn_);
        known_.erase(recent_.back());
        recent_.pop_back();
      }
      if (!PQsendPrepare(conn_, name.c_str(), sql.c_str(), 0, nullptr)) fail(sql, conn_);
      recent_.push_front(name);
      known_[name] = recent_.begin();
    }
    std::vector<const char*> values;
    for (const std::string& p : parameters) values.push_back(p.c_str());
    const int count = static_cast<int>(values.size());
    if (!PQsendQueryPrepared(conn_, name.c_str(), count, values.data(), nullptr, nullptr, 0)) fail(name, conn_);
    if (!PQpipelineSync(conn_)) fail("sync", conn_);
  }
  /// Waits for the next Sync; the rows that came before it.
  int receive() {
    for (int rows = 0;;) {
      PGresult* result = PQgetResult(conn_);
      if (!result && PQstatus(conn_) == CONNECTION_BAD) fail("receive", conn_);
      if (!result) continue;
      const auto status = PQresultStatus(result);
      rows += PQntuples(result);
      PQclear(result);
      if (status == PGRES_PIPELINE_SYNC) return rows;
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail("statement", conn_);
    }
  }

 private:
  PGconn* conn_;
  std::list<std::string> recent_;
  std::unordered_map<std::string, std::list<std::string>::iterator> known_;
};

}  // namespace mandate::bench
