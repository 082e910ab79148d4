#include "base/result.h"

namespace mandate {

std::string_view name(Code code) {
  switch (code) {
#define X(code, status) \
  case Code::code: return #code;
#include "base/error_codes.def"
#undef X
  }
  return "server_error";
}

int http_status(Code code) {
  switch (code) {
#define X(code, status) \
  case Code::code: return status;
#include "base/error_codes.def"
#undef X
  }
  return 500;
}

}  // namespace mandate
