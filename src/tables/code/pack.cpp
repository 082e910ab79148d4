#include "tables/code/pack.h"

#include <zlib.h>

#include "base/base64.h"
#include "tables/code/folder.h"

namespace mandate::tables::code {

std::string pack(std::string_view content) {
  uLongf size = compressBound(static_cast<uLong>(content.size()));
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()), static_cast<uLong>(content.size()), 6) != Z_OK)
    throw std::bad_alloc();  // the only way it can fail
  out.resize(size);
  return base64url(out);
}

Result<std::string> unpack(std::string_view packed, std::int64_t size) {
  const Error damaged(Code::corrupt, "", "a file of a service's code is damaged");
  if (size < 0 || size > static_cast<std::int64_t>(kMostFileBytes)) return damaged;
  const auto bytes = base64url_decode(packed);
  if (!bytes) return damaged;
  std::string out(static_cast<std::size_t>(size), '\0');
  uLongf got = static_cast<uLongf>(size);
  Bytef nothing = 0;  // zlib wants a place even for no bytes
  const int done = uncompress(size ? reinterpret_cast<Bytef*>(out.data()) : &nothing, &got, reinterpret_cast<const Bytef*>(bytes->data()), static_cast<uLong>(bytes->size()));
  if (done != Z_OK || got != static_cast<uLongf>(size)) return damaged;
  return out;
}

}  // namespace mandate::tables::code
