#include "server/process.h"

int main(int argc, char** argv) {
  return mandate::server::run(std::vector<std::string>(argv + 1, argv + argc), mandate::server::this_edition());
}
