#include "scripts/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripts/confine.h"
#include "scripts/source.h"

namespace mandate::scripts {
namespace {

constexpr std::string_view kNoNode =
    "Scripts need Node.js 18 or later on this server, and it was not found. Install it (Debian: apt install nodejs) or name its path.";
// Descriptors in the child: the source, nothing, its last words, the main thread's socket, and a line for each Worker to come.
constexpr int kControl = 3, kFirstLine = 4, kLines = 32;
constexpr int kAbove = kFirstLine + kLines;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error failed(std::string what) { return Error(Code::server_error, "", what + ": " + std::generic_category().message(errno)); }

struct Pair {
  Fd ours, theirs;
};
Result<Pair> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return failed("socketpair");
  return Pair{Fd(ends[0]), Fd(ends[1])};
}

// The source as an unlinked file to read from, so that it is on no disk and in no argument list.
Result<Fd> source_file() {
  Fd file(::memfd_create("scripts", MFD_CLOEXEC));
  if (file.get() < 0) return failed("memfd_create");
  const std::string text = host_source();
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(file.get(), text.data() + at, text.size() - at);
    if (n < 0) return failed("write");
    at += static_cast<std::size_t>(n);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

Result<void> choose_user(const ChildOptions& options, Confinement& confinement) {
  if (::geteuid() != 0) return ok();
  const std::string user = options.run_as.empty() ? "nobody" : options.run_as;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> space(16'384);
  if (::getpwnam_r(user.c_str(), &entry, space.data(), space.size(), &found) != 0 || !found)
    return Error(Code::temporarily_unavailable, "Scripts cannot run: the user '" + user + "' they should run as does not exist on this server.");
  confinement.change_user = true;
  confinement.uid = found->pw_uid;
  confinement.gid = found->pw_gid;
  return ok();
}

// In the forked child: only async-signal-safe calls, no allocation.
[[noreturn]] void become_node(const char* program, char* const* arguments, int source, int socket, int errors, const int (&lines)[kLines], const Confinement& confinement) noexcept {
  static char* const environment[] = {nullptr};
  const int null = ::open("/dev/null", O_WRONLY);
  // Above the numbers they are to have, so that no dup2 overwrites one that is still needed.
  const int source_high = ::fcntl(source, F_DUPFD, kAbove), null_high = ::fcntl(null, F_DUPFD, kAbove), errors_high = ::fcntl(errors, F_DUPFD, kAbove), socket_high = ::fcntl(socket, F_DUPFD, kAbove);
  int lines_high[kLines];
  for (int i = 0; i < kLines; ++i) lines_high[i] = ::fcntl(lines[i], F_DUPFD, kAbove);
  if (::dup2(source_high, 0) < 0 || ::dup2(null_high, 1) < 0 || ::dup2(errors_high, 2) < 0 || ::dup2(socket_high, kControl) < 0) ::_exit(71);
  for (int i = 0; i < kLines; ++i)
    if (::dup2(lines_high[i], kFirstLine + i) < 0) ::_exit(71);
  if (::syscall(SYS_close_range, static_cast<unsigned>(kAbove), ~0U, 0U) != 0)
    for (int fd = kAbove; fd < 4096; ++fd) ::close(fd);
  ::setsid();
  if (::chdir("/") != 0) ::_exit(72);
  for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!confine(confinement)) ::_exit(73);
  ::execve(program, arguments, environment);
  ::_exit(74);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  if (code == 73) return "could not be confined";
  if (code == 74) return "could not be executed";
  return "exited with " + std::to_string(code);
}

}  // namespace

std::string find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0 ? program : std::string();
  const char* path = ::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + program;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return {};
}

Result<std::unique_ptr<Child>> Child::spawn(const ChildOptions& options, Loop& loop, Events events) {
  const std::string program = find_program(options.node);
  if (program.empty()) return Error(Code::temporarily_unavailable, std::string(kNoNode), "no executable '" + options.node + "'");
  Confinement confinement;
  CHECK_OK(choose_user(options, confinement));
  confinement.data_bytes = options.process_mb << 20;
  confinement.syscalls = syscall_filter(program.c_str());
  confinement.readable = {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom"};
  if (char* real = ::realpath(program.c_str(), nullptr)) {
    const std::string place(real);
    ::free(real);
    confinement.readable.push_back(place);
    const std::size_t bin = place.rfind("/bin/");
    if (bin != std::string::npos && bin > 0) confinement.readable.push_back(place.substr(0, bin) + "/lib");
  }
  TRY(const Fd source, source_file());
  TRY(Pair control, socket_pair());
  std::vector<Pair> lines;
  for (int i = 0; i < kLines; ++i) {
    TRY(Pair line, socket_pair());
    lines.push_back(std::move(line));
  }
  int pipe_ends[2], theirs[kLines];
  if (::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) return failed("pipe2");
  Fd errors(pipe_ends[0]);
  const Fd their_errors(pipe_ends[1]);
  for (int i = 0; i < kLines; ++i) theirs[i] = lines[static_cast<std::size_t>(i)].theirs.get();

  // Its collector works in the thread that made the garbage: helpers cost more than they save on heaps this small.
  std::vector<std::string> words{program, "--single-threaded-gc", "--disallow-code-generation-from-strings", "--noexpose-wasm", "--no-warnings", "--no-addons", "--max-old-space-size=96", "--v8-pool-size=2", "-", options.settings};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) return failed("fork");
  if (pid == 0) become_node(program.c_str(), arguments.data(), source.get(), control.theirs.get(), their_errors.get(), theirs, confinement);
  std::vector<Line> ours;
  for (int i = kLines - 1; i >= 0; --i) ours.push_back({kFirstLine + i, lines[static_cast<std::size_t>(i)].ours.release()});
  return std::unique_ptr<Child>(new Child(options, loop, std::move(events), pid, control.ours.release(), errors.release(), std::move(ours)));
}

Child::Child(const ChildOptions& options, Loop& loop, Events events, pid_t pid, int socket, int errors, std::vector<Line> lines)
    : loop_(loop), events_(std::move(events)), pid_(pid), errors_(errors), frame_bytes_(options.frame_bytes), unused_(std::move(lines)) {
  control_ = std::make_unique<Channel>(loop_, socket, frame_bytes_, Channel::Events{[this](const Frame& frame) { on_control(frame); }, [this](std::string reason) { end(std::move(reason)); }});
  errors_readable_ = loop_.when_readable(errors_, [this] { read_errors(); });
}

Child::~Child() {
  errors_readable_.reset();
  control_.reset();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(errors_);
  for (const Line& line : unused_) ::close(line.ours);
}

bool Child::open(std::uint32_t realm) {
  if (unused_.empty() || ended_) return false;
  const Line line = unused_.back();
  unused_.pop_back();
  // A Worker that closes its line is about to end, which the main thread reports; the process goes on.
  lines_[realm] = std::make_unique<Channel>(loop_, line.ours, frame_bytes_, Channel::Events{[this, realm](const Frame& frame) { on_line(realm, frame); }, [](const std::string&) {}});
  control_->send({FrameType::open, 0, static_cast<std::uint16_t>(line.theirs), realm, 0, "{}"});
  return true;
}

void Child::send(const Frame& frame) {
  if (ended_) return;
  if (frame.type == FrameType::terminate || frame.type == FrameType::who) return control_->send(frame);
  const auto line = lines_.find(frame.realm);
  if (line != lines_.end()) line->second->send(frame);
}

std::size_t Child::unsent(std::uint32_t realm) const {
  const auto line = lines_.find(realm);
  return line == lines_.end() ? 0 : line->second->unsent();
}

void Child::on_control(const Frame& frame) {
  spent_.clear();
  if (frame.type != FrameType::hello && frame.type != FrameType::gone && frame.type != FrameType::holding) return;
  if (frame.type != FrameType::gone) return events_.frame(frame);
  const auto line = lines_.find(frame.realm);
  if (line == lines_.end()) return;
  // What the Worker still said comes before its end.
  line->second->read(1 << 16);
  const auto still = lines_.find(frame.realm);
  if (still != lines_.end()) {
    spent_.push_back(std::move(still->second));
    lines_.erase(still);
  }
  events_.frame(frame);
}

void Child::on_line(std::uint32_t realm, const Frame& frame) {
  if (frame.type == FrameType::hello || frame.type == FrameType::gone || frame.type == FrameType::holding) return;
  Frame own = frame;
  own.realm = realm;  // a Worker speaks for itself only
  events_.frame(own);
}

void Child::read_errors() {
  char chunk[4096];
  const ssize_t n = ::read(errors_, chunk, sizeof chunk);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) errors_readable_.reset();
    return;
  }
  last_words_.append(chunk, static_cast<std::size_t>(n));
  if (last_words_.size() > 4096) last_words_.erase(0, last_words_.size() - 4096);
}

void Child::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

void Child::end(std::string reason) {
  if (std::exchange(ended_, true)) return;
  // What its Workers still said comes before the end.
  for (auto& [_, line] : lines_) line->read(1 << 16);
  read_errors();
  // A process without its socket is of no use. It dies at once, so the wait is short.
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) reason += ", " + how_it_ended(status);
  pid_ = -1;
  if (!last_words_.empty()) reason += ": " + last_words_.substr(0, 400);
  auto ended = std::move(events_.ended);
  ended(std::move(reason));
}

}  // namespace mandate::scripts
