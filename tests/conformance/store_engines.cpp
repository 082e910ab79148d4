#include "tests/conformance/store_fixture.h"

namespace mandate::store {
namespace {

class TriedSqlite final : public Tried {
 public:
  Store& store() override { return temp_.store(); }
  Migratable& migratable() override { return temp_.engine(); }
  ManualClock& clock() override { return temp_.clock(); }
  void reopen() override { temp_.reopen(); }

 private:
  test::TempStore temp_;
};

}  // namespace

std::vector<EngineUnderTest> engines_under_test() {
  return {{"sqlite", [] { return std::unique_ptr<Tried>(std::make_unique<TriedSqlite>()); }}};
}

}  // namespace mandate::store
