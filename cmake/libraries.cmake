# Everything from Debian 12 packages; SQLite and nothing else from npm (engine.md §1), because Debian's 3.40 has the
# WAL-reset corruption bug that 3.51.3 fixed.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(simdjson REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)

# llhttp: the C sources of Debian's node-llhttp, compiled by us.
find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp REQUIRED NO_DEFAULT_PATH)
find_path(LLHTTP_HEADERS llhttp.h PATHS /usr/share/include/llhttp REQUIRED NO_DEFAULT_PATH)
add_library(llhttp STATIC ${LLHTTP_SOURCES}/llhttp.c ${LLHTTP_SOURCES}/http.c ${LLHTTP_SOURCES}/api.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_HEADERS})
target_compile_options(llhttp PRIVATE -msse4.2 -w)

# SQLite 3.53, the amalgamation inside npm better-sqlite3 (pinned in package-lock.json).
set(SQLITE_DIR ${CMAKE_SOURCE_DIR}/node_modules/better-sqlite3/deps/sqlite3)
if(NOT EXISTS ${SQLITE_DIR}/sqlite3.c)
  execute_process(COMMAND npm ci --ignore-scripts WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} COMMAND_ERROR_IS_FATAL ANY)
endif()
add_library(sqlite3 STATIC ${SQLITE_DIR}/sqlite3.c)
target_include_directories(sqlite3 SYSTEM PUBLIC ${SQLITE_DIR})
# HAVE_FDATASYNC: else every commit is an fsync, which writes the file's times too.
target_compile_definitions(sqlite3 PRIVATE HAVE_FDATASYNC=1 SQLITE_THREADSAFE=2 SQLITE_DQS=0 SQLITE_DEFAULT_MEMSTATUS=0
  SQLITE_OMIT_DEPRECATED SQLITE_OMIT_SHARED_CACHE SQLITE_ENABLE_FTS5 SQLITE_ENABLE_RTREE SQLITE_ENABLE_COLUMN_METADATA)
target_compile_options(sqlite3 PRIVATE -w -O2)
target_link_libraries(sqlite3 PUBLIC Threads::Threads m)
