#include "common/rpc/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace fadu::rpc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGet[] = "fadu.common.v1.RecordService/GetRecord";

TEST(Metrics, ServerCallsAreCountedByMethodAndStatus) {
  Metrics metrics;
  CallMeter& meter = metrics.Meter("mediation", kGet);
  meter.Started();
  meter.Finished(absl::StatusCode::kOk, absl::Milliseconds(3));
  metrics.Meter("mediation", kGet).Finished(absl::StatusCode::kOk, absl::Milliseconds(30));
  meter.Finished(absl::StatusCode::kNotFound, absl::Seconds(20));
  EXPECT_THAT(metrics.Scrape(),
              AllOf(HasSubstr(absl::StrCat("grpc_server_call_started_total{grpc_method=\"", kGet,
                                           "\",service=\"mediation\"} 1")),
                    HasSubstr(absl::StrCat("grpc_server_call_duration_seconds_count{grpc_method=\"",
                                           kGet, "\",grpc_status=\"OK\",service=\"mediation\"} 2")),
                    HasSubstr("grpc_status=\"OK\",service=\"mediation\",le=\"0.005\"} 1"),
                    HasSubstr("grpc_status=\"NOT_FOUND\",service=\"mediation\",le=\"10\"} 0")));
}

// rate() knows nothing of a series that begins at 1.
TEST(Metrics, SeriesOfAServerAreThereBeforeItsFirstCall) {
  Metrics metrics;
  metrics.Meter("mediation", kGet);
  const std::string text = metrics.Scrape();
  EXPECT_THAT(
      text, AllOf(HasSubstr(absl::StrCat("grpc_server_call_started_total{grpc_method=\"", kGet,
                                         "\",service=\"mediation\"} 0")),
                  HasSubstr(absl::StrCat("grpc_server_call_duration_seconds_count{grpc_method=\"",
                                         kGet, "\",grpc_status=\"OK\",service=\"mediation\"} 0"))));
  for (const char* status : {"INTERNAL", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("fadu_calls_failed_total{grpc_status=\"", status,
                                             "\",service=\"mediation\"} 0")));
  }
}

TEST(Metrics, FailedCallsAreCountedByStatus) {
  Metrics metrics;
  CallMeter& meter = metrics.Meter("mediation", kGet);
  meter.Finished(absl::StatusCode::kOk, absl::Milliseconds(3));
  meter.Finished(absl::StatusCode::kNotFound, absl::Milliseconds(3));
  meter.Finished(absl::StatusCode::kNotFound, absl::Milliseconds(3));
  const std::string text = metrics.Scrape();
  EXPECT_THAT(
      text,
      HasSubstr("fadu_calls_failed_total{grpc_status=\"NOT_FOUND\",service=\"mediation\"} 2"));
  EXPECT_THAT(text, Not(HasSubstr("fadu_calls_failed_total{grpc_status=\"OK\"")));
}

TEST(Metrics, AttemptsToPeersAreCounted) {
  Metrics metrics;
  metrics.ClientCallFinished(kGet, absl::StatusCode::kUnavailable, absl::Milliseconds(1));
  EXPECT_THAT(metrics.Scrape(),
              HasSubstr(absl::StrCat("grpc_client_attempt_duration_seconds_count{grpc_method=\"",
                                     kGet, "\",grpc_status=\"UNAVAILABLE\"} 1")));
}

TEST(Metrics, AGaugeIsReadAtEachScrape) {
  Metrics metrics;
  double value = 1;
  metrics.Gauge("fadu_db_pool_in_use", "Connections in use", {{"service", "mediation"}},
                [&value] { return value; });
  EXPECT_THAT(metrics.Scrape(), HasSubstr("fadu_db_pool_in_use{service=\"mediation\"} 1"));
  value = 7;
  EXPECT_THAT(metrics.Scrape(), HasSubstr("fadu_db_pool_in_use{service=\"mediation\"} 7"));
}

TEST(Metrics, ACounterThatSomebodyElseKeepsIsReadAtEachScrape) {
  Metrics metrics;
  double value = 1;
  metrics.CounterOf("fadu_writer_batches_total", "Batches", {{"path", "trip"}},
                    [&value] { return value; });
  value = 5;
  EXPECT_THAT(metrics.Scrape(), AllOf(HasSubstr("# TYPE fadu_writer_batches_total counter"),
                                      HasSubstr("fadu_writer_batches_total{path=\"trip\"} 5")));
}

TEST(Metrics, GaugesOfOneNameAreOneFamily) {
  Metrics metrics;
  metrics.Gauge("fadu_feed_lag", "Lag", {{"service", "a"}}, [] { return 1.0; });
  metrics.Gauge("fadu_feed_lag", "Lag", {{"service", "b"}}, [] { return 2.0; });
  const std::string text = metrics.Scrape();
  EXPECT_EQ(text.find("# TYPE fadu_feed_lag gauge"), text.rfind("# TYPE fadu_feed_lag gauge"));
  EXPECT_THAT(text, HasSubstr("fadu_feed_lag{service=\"b\"} 2"));
}

TEST(Metrics, ACounterBeginsAtZero) {
  Metrics metrics;
  metrics.Count("fadu_feed_facts_total", "Facts", {{"service", "scoring"}}, 0);
  EXPECT_THAT(metrics.Scrape(), HasSubstr("fadu_feed_facts_total{service=\"scoring\"} 0"));
  metrics.Count("fadu_feed_facts_total", "Facts", {{"service", "scoring"}}, 3);
  EXPECT_THAT(metrics.Scrape(), HasSubstr("fadu_feed_facts_total{service=\"scoring\"} 3"));
}

TEST(Metrics, ANameThatPrometheusRefusesFailsNothing) {
  Metrics metrics;
  metrics.Count("not a name", "?", {});
  EXPECT_THAT(metrics.Scrape(), Not(HasSubstr("not a name")));
}

// One GET over a plain socket, as no HTTP client is linked here.
std::string Get(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string text;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
    if (write(fd, request.data(), request.size()) > 0) {
      char buffer[4096];
      for (ssize_t got = 1; got > 0;) {
        got = read(fd, buffer, sizeof(buffer));
        if (got > 0) text.append(buffer, static_cast<size_t>(got));
      }
    }
  }
  close(fd);
  return text;
}

TEST(Metrics, AreExposedOnAPortOfTheirOwnChoice) {
  Metrics metrics;
  metrics.Count("fadu_test_total", "Test", {});
  metrics.Gauge("fadu_test_gauge", "Test", {}, [] { return 5.0; });
  const absl::StatusOr<int> port = metrics.Expose("127.0.0.1:0");
  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_THAT(Get(*port), AllOf(HasSubstr("fadu_test_total 1"), HasSubstr("fadu_test_gauge 5")));
}

TEST(Metrics, AnAddressThatIsTakenIsRefused) {
  Metrics metrics;
  const absl::StatusOr<int> port = metrics.Expose("127.0.0.1:0");
  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_EQ(Metrics().Expose(absl::StrCat("127.0.0.1:", *port)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace fadu::rpc
