// SC-1: the wall behind the wall. Whatever code runs in a script process, the kernel refuses it files, processes and sockets.
#include "scripts/confine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripts/child.h"

namespace mandate::scripts {
namespace {

bool kernel_has_landlock() { return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0; }

/// What Node writes when it runs `code` confined as a script process is.
std::string confined_node(const std::string& code) {
  std::string program = find_program("node");
  Confinement to;
  to.syscalls = syscall_filter(program.c_str());
  to.readable = {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom"};
  if (char* real = ::realpath(program.c_str(), nullptr)) {
    to.readable.emplace_back(real);
    ::free(real);
  }
  std::string flag = "-e", text = code;
  char* arguments[] = {program.data(), flag.data(), text.data(), nullptr};
  static char* const environment[] = {nullptr};
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], 1);
    if (!confine(to)) ::_exit(73);
    ::execve(program.c_str(), arguments, environment);
    ::_exit(74);
  }
  ::close(ends[1]);
  std::string out;
  char chunk[1024];
  for (ssize_t n; (n = ::read(ends[0], chunk, sizeof chunk)) > 0;) out.append(chunk, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return out;
}
std::string code_of(const std::string& expression) {
  return confined_node("try { const r = " + expression + "; process.stdout.write(r && r.error ? r.error.code : 'DONE'); } catch (e) { process.stdout.write(String(e.code || e.message)); }");
}

TEST(Confine, NodeItselfRunsAndHasThreads) {
  EXPECT_EQ(confined_node("new (require('worker_threads').Worker)(\"require('fs').writeSync(1, 'up')\", { eval: true })"), "up");
}

TEST(Confine, NothingCanBeWrittenOrChanged) {
  const char* path = "/tmp/mandate-confined";
  EXPECT_EQ(code_of("require('fs').writeFileSync('" + std::string(path) + "', 'x')"), "EACCES");
  EXPECT_EQ(code_of("require('fs').mkdirSync('" + std::string(path) + "')"), "EPERM");
  EXPECT_EQ(code_of("require('fs').unlinkSync('/tmp/none')"), "EPERM");
  EXPECT_EQ(code_of("require('fs').symlinkSync('/etc/passwd', '" + std::string(path) + "')"), "EPERM");
  EXPECT_NE(::access(path, F_OK), 0);
}

TEST(Confine, NoProcessIsStartedAndNoneIsSignalled) {
  EXPECT_EQ(code_of("require('child_process').spawnSync('/bin/true')"), "EPERM");
  EXPECT_EQ(code_of("process.kill(" + std::to_string(::getpid()) + ", 0)"), "EPERM");
}

TEST(Confine, NoSocketIsMade) {
  const auto ends_with = [](const std::string& setup) { return confined_node(setup + ".on('error', (e) => process.stdout.write(e.code)).on('connect', () => process.stdout.write('CONNECTED')).on('listening', () => process.stdout.write('LISTENING'))"); };
  EXPECT_EQ(ends_with("require('net').connect(9, '127.0.0.1')"), "EPERM");
  EXPECT_EQ(ends_with("require('net').connect('/run/some.sock')"), "EPERM");
  EXPECT_THAT(ends_with("require('net').createServer().listen(0, '127.0.0.1')"), "EPERM");
}

TEST(Confine, FilesOutsideOfNodeAreUnreadable) {
  if (!kernel_has_landlock()) GTEST_SKIP() << "this kernel has no Landlock; the user's own rights must do";
  EXPECT_EQ(code_of("require('fs').readFileSync('/etc/passwd')"), "EACCES");
  EXPECT_EQ(code_of("require('fs').readFileSync('/proc/self/environ')"), "EACCES");
  EXPECT_EQ(code_of("require('fs').readdirSync('/')"), "EACCES");
}

TEST(Confine, TheEnvironmentIsEmpty) { EXPECT_EQ(confined_node("process.stdout.write(JSON.stringify(process.env))"), "{}"); }

}  // namespace
}  // namespace mandate::scripts
