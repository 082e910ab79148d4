#include "tests/fault/small_disk.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

namespace mandate::test {
namespace {

constexpr const char* kSize = "size=48m";

using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;
using Answer = std::unique_ptr<PGresult, void (*)(PGresult*)>;

constexpr const char* kEveryTable =
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname LIKE 'mandate%'";

}  // namespace

std::string SmallDisk::sql(const std::string& url, const std::string& statement) const {
  const Connection c(PQconnectdb(url.c_str()), PQfinish);
  const Answer r(PQexec(c.get(), statement.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(r.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(c.get()));
  return PQntuples(r.get()) > 0 ? PQgetvalue(r.get(), 0, 0) : "";
}

SmallDisk::SmallDisk(PostgresServer& server) : server_(server) {
  url_ = server.create_database();
  const std::string folder = server.directory() + "/small";
  if (::mkdir(folder.c_str(), 0700) != 0 || ::mount("tmpfs", folder.c_str(), "tmpfs", 0, kSize) != 0) return;
  mount_ = folder;
  struct stat owner{};
  const std::string data = mount_ + "/data", database = url_.substr(url_.rfind('/') + 1);
  if (::stat((server.directory() + "/data").c_str(), &owner) != 0 || ::mkdir(data.c_str(), 0700) != 0 ||
      ::chown(data.c_str(), owner.st_uid, owner.st_gid) != 0)
    throw std::runtime_error("SmallDisk: the folder");
  sql(server.url(), "CREATE TABLESPACE small LOCATION '" + data + "'");
  sql(server.url(), "ALTER DATABASE " + database + " SET TABLESPACE small");
}

SmallDisk::~SmallDisk() {
  if (!real()) return;
  // The server must not have it open; what it keeps elsewhere goes with it.
  try {
    server_.stop(PostgresServer::Stop::immediate);
  } catch (const std::exception&) {
  }
  ::umount2(mount_.c_str(), MNT_DETACH);
}

void SmallDisk::fill() {
  if (real()) {
    const int fd = ::open((mount_ + "/ballast").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    const std::string block(4096, 'x');
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    ::close(fd);
    return;
  }
  sql(url_,
      "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'could "
      "not extend file'; END $$;"
      "DO $$ DECLARE t text; BEGIN FOR t IN " +
          std::string(kEveryTable) +
          " LOOP EXECUTE 'CREATE TRIGGER full_disk BEFORE INSERT ON ' || t || ' EXECUTE FUNCTION full_disk()'; END LOOP; END $$");
}

void SmallDisk::free() {
  if (real()) ::unlink((mount_ + "/ballast").c_str());
  else sql(url_, "DROP FUNCTION full_disk() CASCADE");
}

}  // namespace mandate::test
