#include "store/postgres/copy_in.h"

namespace mandate::store::postgres {
namespace {

constexpr std::size_t kPiece = 256 << 10;  // bytes sent at once

void append(std::string& out, std::uint32_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

}  // namespace

CopyIn::~CopyIn() {
  if (!open_) return;
  (void)PQputCopyEnd(connection_, "given up");
  while (const Answer answer{PQgetResult(connection_)}) {
  }
}

Result<void> CopyIn::begin(const std::string& table, const std::string& columns) {
  const Answer answer(PQexec(connection_, ("COPY " + table + " (" + columns + ") FROM STDIN (FORMAT binary)").c_str()));
  if (PQresultStatus(answer.get()) != PGRES_COPY_IN)
    return PQstatus(connection_) == CONNECTION_OK ? error_of(answer.get()) : lost(connection_);
  open_ = true;
  // Signature, flags, length of what else the header has.
  buffer_.assign("PGCOPY\n\377\r\n\0", 11);
  append(buffer_, 0, 4);
  append(buffer_, 0, 4);
  return {};
}

Result<void> CopyIn::row(const Parameters& cells) {
  cells.view(view_);
  append(buffer_, static_cast<std::uint32_t>(view_.values.size()), 2);
  for (std::size_t i = 0; i < view_.values.size(); ++i) {
    if (!view_.values[i]) {
      append(buffer_, 0xffffffff, 4);
      continue;
    }
    append(buffer_, static_cast<std::uint32_t>(view_.lengths[i]), 4);
    buffer_.append(view_.values[i], static_cast<std::size_t>(view_.lengths[i]));
  }
  return buffer_.size() < kPiece ? Result<void>{} : send();
}

Result<void> CopyIn::send() {
  if (PQputCopyData(connection_, buffer_.data(), static_cast<int>(buffer_.size())) != 1) return lost(connection_);
  buffer_.clear();
  return {};
}

Result<void> CopyIn::end() {
  append(buffer_, 0xffff, 2);
  CHECK_OK(send());
  if (PQputCopyEnd(connection_, nullptr) != 1) return lost(connection_);
  open_ = false;
  Result<void> done;
  while (const Answer answer{PQgetResult(connection_)})
    if (done.ok() && PQresultStatus(answer.get()) != PGRES_COMMAND_OK) done = error_of(answer.get());
  if (done.ok() && PQstatus(connection_) != CONNECTION_OK) return lost(connection_);
  return done;
}

}  // namespace mandate::store::postgres
