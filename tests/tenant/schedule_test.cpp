#include "tenant/schedule.h"

#include <gtest/gtest.h>

#include "tenant/codec/codec.h"

namespace mandate::tenant {
namespace {

Millis at(std::string_view text) { return parse_iso8601(text).value(); }

std::string next_of(std::string_view cron, std::string_view after) {
  const Result<Cron> parsed = Cron::parse(cron);
  EXPECT_TRUE(parsed.ok()) << cron;
  return iso8601(parsed->next(at(after)));
}

Job every(std::int64_t period, std::string unit, std::string_view start = {}) {
  Job job;
  job.name = "J";
  job.interval_unit = std::move(unit);
  job.interval_period = period;
  if (!start.empty()) job.start_time = at(start);
  return job;
}

TEST(ACronText, SaysWhenTheNextMinuteIs) {
  struct Row {
    const char *cron, *after, *next;
  };
  for (const Row& row : {Row{"* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00.000Z"},
                         Row{"*/15 * * * *", "2026-01-01T00:14:59.999Z", "2026-01-01T00:15:00.000Z"},
                         Row{"30 4 * * *", "2026-01-01T04:30:00Z", "2026-01-02T04:30:00.000Z"},
                         Row{"0 9-17/4 * * mon-fri", "2026-01-02T17:30:00Z", "2026-01-05T09:00:00.000Z"},
                         Row{"0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00.000Z"},
                         Row{"0 0 29 feb *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00.000Z"},
                         Row{"0 0 1 * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00.000Z"},
                         Row{"5/20 0 * * *", "2026-01-01T00:06:00Z", "2026-01-01T00:25:00.000Z"},
                         Row{"@monthly", "2026-12-15T00:00:00Z", "2027-01-01T00:00:00.000Z"},
                         Row{" 0  0 * JAN,Jul sun ", "2026-01-26T00:00:00Z", "2026-07-05T00:00:00.000Z"}})
    EXPECT_EQ(next_of(row.cron, row.after), row.next) << row.cron;
}

TEST(ACronText, IsRefusedWithAReason) {
  for (const char* text : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *",
                           "a * * * *", "1,, * * * *", "0 0 31 feb *", "-1 * * * *", "99999999999 * * * *", "@never"}) {
    const Result<Cron> cron = Cron::parse(text);
    ASSERT_FALSE(cron.ok()) << text;
    EXPECT_EQ(cron.error().code, Code::invalid_request) << text;
    EXPECT_FALSE(cron.error().hint.empty()) << text;
  }
}

TEST(AnInterval, IsCountedFromItsStart) {
  const Job quarter = every(15, "minute", "2026-01-01T00:05:00Z");
  EXPECT_EQ(iso8601(next_run(quarter, at("2025-01-01T00:00:00Z"))), "2026-01-01T00:05:00.000Z");
  EXPECT_EQ(iso8601(next_run(quarter, at("2026-01-01T00:05:00Z"))), "2026-01-01T00:20:00.000Z");
  EXPECT_EQ(iso8601(next_run(quarter, at("2026-06-01T12:00:00Z"))), "2026-06-01T12:05:00.000Z");
  const Job day = every(1, "day", "2026-01-01T03:00:00Z");
  EXPECT_EQ(iso8601(next_run(day, at("2026-03-01T03:00:00.001Z"))), "2026-03-02T03:00:00.000Z");
}

TEST(AnInterval, WithoutAStartFallsOnRoundTimes) {
  EXPECT_EQ(iso8601(next_run(every(2, "hour"), at("2026-01-01T01:10:00Z"))), "2026-01-01T02:00:00.000Z");
  EXPECT_EQ(iso8601(next_run(every(1, "month"), at("2026-01-01T00:00:00Z"))), "2026-02-01T00:00:00.000Z");
}

TEST(AnInterval, OfMonthsKeepsTheDayWhereThereIsOne) {
  const Job job = every(1, "month", "2026-01-31T06:00:00Z");
  EXPECT_EQ(iso8601(next_run(job, at("2026-01-31T06:00:00Z"))), "2026-02-28T06:00:00.000Z");
  EXPECT_EQ(iso8601(next_run(job, at("2026-02-28T06:00:00Z"))), "2026-03-31T06:00:00.000Z");
  const Job leap = every(1, "year", "2024-02-29T00:00:00Z");
  EXPECT_EQ(iso8601(next_run(leap, at("2024-03-01T00:00:00Z"))), "2025-02-28T00:00:00.000Z");
  EXPECT_EQ(iso8601(next_run(leap, at("2028-01-01T00:00:00Z"))), "2028-02-29T00:00:00.000Z");
  EXPECT_EQ(next_run(every(100'000, "year", "2026-01-31T06:00:00Z"), at("2027-01-01T00:00:00Z")), 0);
}

TEST(JobsInAFile, ComeBackAsTheyWereWritten) {
  const JsonObject body = parse_json(R"({"jobs":{"Cleanup":{"cron":"0 3 * * *","missed":"skip","timeout":60,"source":"function Cleanup() {}\n"},
      "report":{"status":"disabled","interval_unit":"hour","interval_period":6,"start_time":"2026-01-01T00:00:00.000Z","path":"jobs/report.js"},"asked":{}}})")->get_object();
  Problems problems;
  const Service service = read_service("default", body, "services.default", problems);
  ASSERT_TRUE(problems.empty()) << problems.error().hint;
  EXPECT_EQ(service.job("CLEANUP")->name, "Cleanup");
  EXPECT_EQ(schedule_text(*service.job("report")), "every 6 hour from 2026-01-01T00:00:00.000Z");
  EXPECT_FALSE(has_times(*service.job("asked")));
  EXPECT_EQ(write_service(service), body);
}

TEST(JobsInAFile, AreRefusedWithTheirPlace) {
  for (const char* job : {R"({"cron":"nonsense"})", R"({"cron":"@daily","interval_unit":"hour"})", R"({"interval_unit":"week"})", R"({"interval_period":2})",
                          R"({"interval_unit":"hour","interval_period":0})", R"({"start_time":"soon"})", R"({"missed":"never"})", R"({"timeout":0})",
                          R"({"source":"a.js"})", R"({"path":"../a.js"})", R"({"path":"a.js","source":"\n"})", R"({"status":"on"})", R"({"when":1})", "7"}) {
    const JsonObject body = parse_json(std::string(R"({"jobs":{"J":)") + job + "}}")->get_object();
    Problems problems;
    (void)read_service("default", body, "services.default", problems);
    ASSERT_FALSE(problems.empty()) << job;
    EXPECT_TRUE(problems.list().front().path.starts_with("services.default.jobs.J")) << problems.list().front().path;
  }
}

}  // namespace
}  // namespace mandate::tenant
