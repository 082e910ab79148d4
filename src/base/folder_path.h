// Which files the folder of a service may have: one rule for the server that takes it and for the command that reads and writes it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mandate::folder {

inline constexpr std::size_t kMostFiles = 10'000, kMostFileBytes = 4 << 20, kMostBytes = 32 << 20, kMostPath = 500;

/// What is wrong with a path, in words for the one who gave it; empty when nothing is: relative, '/' between segments, none of them
/// empty or beginning with '.', no blanks at the ends of one, no control characters, UTF-8, no native module. Pure.
std::string path_problem(std::string_view path);

}  // namespace mandate::folder
