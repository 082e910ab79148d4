// Our certificate, and the settings of every TLS session (HT-12).
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace mandate::http {

/// TLS 1.2 and 1.3, AEAD suites with forward secrecy, ALPN http/1.1, session tickets, no renegotiation.
/// Thread-safe.
class Tls {
 public:
  Tls(std::string certificate_file, std::string key_file);
  /// Reads certificate chain and key (PEM). On an error what was there stays (RL-7). Sessions of the old certificate go
  /// on, and tickets stay good.
  Result<void> load();
  /// The settings for a new session; null before the first load.
  std::shared_ptr<ssl_ctx_st> context() const;

 private:
  std::string certificate_file_, key_file_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace mandate::http
