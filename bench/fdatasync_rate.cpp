// Prints how many fdatasync of a 4 KiB append the disk of argv[1] does in a second: the floor of every durable write.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  const std::string path = std::string(argc > 1 ? argv[1] : ".") + "/fdatasync-rate.tmp";
  const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return 1;
  const std::string page(4096, 'x');
  long count = 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < end) {
    if (::pwrite(fd, page.data(), page.size(), (count % 256) * 4096) < 0 || ::fdatasync(fd) != 0) return 1;
    ++count;
  }
  std::printf("%ld\n", count);
  ::close(fd);
  ::unlink(path.c_str());
}
