# Warnings, hardening and sanitizers, the same for every target.
add_compile_options(-Wall -Wextra -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU")
  # g++ 12 reports these on correct coroutine code and on std::variant.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized> -Wno-restrict -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-array-bounds -Wno-free-nonheap-object -Wno-dangling-pointer)
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_link_options(-fuse-ld=lld)
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # so that ccache can reuse objects across check-outs
endif()

set(CMAKE_CXX_FLAGS_DEBUG "-O0 -gline-tables-only")
set(CMAKE_C_FLAGS_DEBUG "-O1 -gline-tables-only")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

# RL-18. _FORTIFY_SOURCE needs optimisation and confuses AddressSanitizer, so it belongs to release only.
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
add_compile_options(-fPIE)
add_link_options(-pie -Wl,-z,relro,-z,now)

if(MANDATE_SANITIZE)
  add_compile_options(-fsanitize=${MANDATE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MANDATE_SANITIZE})
endif()
