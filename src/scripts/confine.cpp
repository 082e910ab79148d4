#include "scripts/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mandate::scripts {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArch = 0;
#endif

constexpr int kRefused[] = {
    SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_execveat, SYS_ptrace, SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_kill, SYS_pidfd_send_signal, SYS_pidfd_getfd, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns,
    SYS_bpf, SYS_perf_event_open, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_userfaultfd, SYS_keyctl,
    SYS_add_key, SYS_request_key, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon,
    SYS_swapoff, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_mkdirat, SYS_mknodat, SYS_fchmod, SYS_fchmodat, SYS_fchown,
    SYS_fchownat, SYS_truncate, SYS_ftruncate, SYS_setxattr, SYS_fsetxattr, SYS_utimensat, SYS_name_to_handle_at,
    SYS_open_by_handle_at, SYS_memfd_create, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_capset,
#if defined(__x86_64__)
    SYS_fork, SYS_vfork, SYS_creat, SYS_unlink, SYS_rename, SYS_renameat, SYS_link, SYS_symlink, SYS_mkdir, SYS_rmdir, SYS_mknod, SYS_chmod,
    SYS_chown, SYS_lchown, SYS_utime, SYS_utimes,
#endif
};

constexpr std::uint32_t kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

class Filter {
 public:
  void load(std::size_t offset) { add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset))); }
  void refuse(int error) { add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error))); }
  void allow() { add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)); }
  void kill() { add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)); }
  void if_equal(std::uint32_t value, std::uint8_t yes, std::uint8_t no) { add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)); }
  void if_any_bit(std::uint32_t bits, std::uint8_t yes, std::uint8_t no) { add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)); }
  void if_at_least(std::uint32_t value, std::uint8_t yes, std::uint8_t no) { add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, yes, no)); }
  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  void add(sock_filter one) { code_.push_back(one); }
  std::vector<sock_filter> code_;
};

constexpr std::size_t low(int argument) { return offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(argument); }
constexpr std::size_t high(int argument) { return low(argument) + 4; }

void limit(int resource, rlim_t value) noexcept {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &both);
}

// Reading is confined to Node and its libraries where the kernel can do that; elsewhere the user's own rights must do.
void confine_reading(const std::vector<std::string>& readable) noexcept {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
  const int rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0));
  if (rules < 0) return;
  for (const std::string& path : readable) {
    landlock_path_beneath_attr rule{};
    rule.parent_fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) continue;
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_DIR;
    if (::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
      rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;  // a file, not a folder
      ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    ::close(rule.parent_fd);
  }
  ::syscall(SYS_landlock_restrict_self, rules, 0);
  ::close(rules);
}

}  // namespace

std::vector<sock_filter> syscall_filter(const char* program) {
  if (kArch == 0) return {};
  Filter filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.if_equal(kArch, 1, 0);
  filter.kill();
  filter.load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  filter.if_at_least(0x40000000, 0, 1);  // the x32 numbers of the same calls
  filter.refuse(EPERM);
#endif
  for (const int number : kRefused) {
    filter.if_equal(static_cast<std::uint32_t>(number), 0, 1);
    filter.refuse(EPERM);
  }
  // glibc falls back to clone and open, whose flags a filter can see.
  for (const int number : {SYS_clone3, SYS_openat2}) {
    filter.if_equal(static_cast<std::uint32_t>(number), 0, 1);
    filter.refuse(ENOSYS);
  }
  filter.if_equal(SYS_clone, 0, 4);
  filter.load(low(0));
  filter.if_any_bit(CLONE_THREAD, 0, 1);
  filter.allow();
  filter.refuse(EPERM);
  filter.if_equal(SYS_openat, 0, 4);
  filter.load(low(2));
  filter.if_any_bit(kWriting, 0, 1);
  filter.refuse(EACCES);
  filter.allow();
#if defined(__x86_64__)
  filter.if_equal(SYS_open, 0, 4);
  filter.load(low(1));
  filter.if_any_bit(kWriting, 0, 1);
  filter.refuse(EACCES);
  filter.allow();
#endif
  filter.if_equal(SYS_execve, 0, 6);
  const auto pointer = reinterpret_cast<std::uintptr_t>(program);
  filter.load(low(0));
  filter.if_equal(static_cast<std::uint32_t>(pointer), 0, 3);
  filter.load(high(0));
  filter.if_equal(static_cast<std::uint32_t>(static_cast<std::uint64_t>(pointer) >> 32), 0, 1);
  filter.allow();
  filter.refuse(EPERM);
  filter.allow();
  return filter.take();
}

bool confine(const Confinement& to) noexcept {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 512);
  limit(RLIMIT_FSIZE, 0);
  if (to.data_bytes) limit(RLIMIT_DATA, to.data_bytes);
  // The plain system calls: glibc's own would ask every thread of a process that has only this one left.
  if (to.change_user) {
    if (::syscall(SYS_setgroups, 0, nullptr) != 0 || ::syscall(SYS_setresgid, to.gid, to.gid, to.gid) != 0 || ::syscall(SYS_setresuid, to.uid, to.uid, to.uid) != 0) return false;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  confine_reading(to.readable);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (!to.syscalls.empty()) {
    const sock_fprog program{static_cast<unsigned short>(to.syscalls.size()), const_cast<sock_filter*>(to.syscalls.data())};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) return false;
  }
  return true;
}

}  // namespace mandate::scripts
