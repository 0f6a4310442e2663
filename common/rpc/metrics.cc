#include "common/rpc/metrics.h"

#include <array>
#include <atomic>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"

namespace fadu::rpc {
namespace {

// Shared by all layers, so that latencies of RPCs and of the database compare. In seconds.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto* const buckets = new prometheus::Histogram::BucketBoundaries{
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  return *buckets;
}

// What our own code answers with when it does not answer with OK.
constexpr absl::StatusCode kFailures[] = {
    absl::StatusCode::kInvalidArgument,  absl::StatusCode::kNotFound,
    absl::StatusCode::kAlreadyExists,    absl::StatusCode::kFailedPrecondition,
    absl::StatusCode::kPermissionDenied, absl::StatusCode::kUnauthenticated,
    absl::StatusCode::kAborted,          absl::StatusCode::kUnavailable,
    absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kResourceExhausted,
    absl::StatusCode::kInternal};

// Gauges and counters that are asked when somebody scrapes.
class Gauges : public prometheus::Collectable {
 public:
  void Add(prometheus::MetricType type, absl::string_view name, absl::string_view help,
           std::map<std::string, std::string> labels, std::function<double()> read) {
    const std::lock_guard<std::mutex> lock(mutex_);
    gauges_.push_back(
        One{type, std::string(name), std::string(help), std::move(labels), std::move(read)});
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<One> gauges;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      gauges = gauges_;  // readers take locks of their own
    }
    std::map<std::string, prometheus::MetricFamily> families;
    for (const One& one : gauges) {
      prometheus::MetricFamily& family = families[one.name];
      family.name = one.name;
      family.help = one.help;
      family.type = one.type;
      prometheus::ClientMetric metric;
      for (const auto& [label, value] : one.labels) {
        prometheus::ClientMetric::Label pair;
        pair.name = label;
        pair.value = value;
        metric.label.push_back(std::move(pair));
      }
      (one.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) =
          one.read();
      family.metric.push_back(std::move(metric));
    }
    std::vector<prometheus::MetricFamily> result;
    for (auto& [name, family] : families) result.push_back(std::move(family));
    return result;
  }

 private:
  struct One {
    prometheus::MetricType type;
    std::string name;
    std::string help;
    std::map<std::string, std::string> labels;
    std::function<double()> read;
  };
  mutable std::mutex mutex_;
  std::vector<One> gauges_;
};

}  // namespace

struct Metrics::Impl {
  using Key = std::tuple<std::string, std::string, absl::StatusCode>;

  // One series, found by its key and made on first mention.
  template <typename AnyKey, typename Series, typename Make>
  Series& Find(absl::flat_hash_map<AnyKey, Series*>& cache, AnyKey key, Make make) {
    const std::lock_guard<std::mutex> lock(mutex);
    Series*& series = cache[std::move(key)];
    if (series == nullptr) series = &make();
    return *series;
  }

  // shared_ptr: the exposer holds weak ones.
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<Gauges> gauges = std::make_shared<Gauges>();
  std::vector<std::unique_ptr<prometheus::Exposer>> exposers;

  prometheus::Family<prometheus::Counter>& started = prometheus::BuildCounter()
                                                         .Name("grpc_server_call_started_total")
                                                         .Help("Server calls started")
                                                         .Register(*registry);
  prometheus::Family<prometheus::Counter>& failed =
      prometheus::BuildCounter()
          .Name("fadu_calls_failed_total")
          .Help("Server calls answered with another status than OK")
          .Register(*registry);
  prometheus::Family<prometheus::Histogram>& server_duration =
      prometheus::BuildHistogram()
          .Name("grpc_server_call_duration_seconds")
          .Help("Time from arrival to answer of a server call")
          .Register(*registry);
  prometheus::Family<prometheus::Histogram>& client_duration =
      prometheus::BuildHistogram()
          .Name("grpc_client_attempt_duration_seconds")
          .Help("Time of one attempt to call a peer")
          .Register(*registry);
  prometheus::Family<prometheus::Histogram>& http_duration =
      prometheus::BuildHistogram()
          .Name("http_server_request_duration_seconds")
          .Help("Time from the end of a request to its answer")
          .Register(*registry);

  prometheus::Counter& Started(absl::string_view service, absl::string_view method) {
    return Find(started_series,
                Key(std::string(service), std::string(method), absl::StatusCode::kOk),
                [&]() -> prometheus::Counter& {
                  return started.Add(
                      {{"service", std::string(service)}, {"grpc_method", std::string(method)}});
                });
  }

  prometheus::Counter& Failed(absl::string_view service, absl::StatusCode code) {
    return Find(failed_series, Key(std::string(service), std::string(), code),
                [&]() -> prometheus::Counter& {
                  return failed.Add({{"service", std::string(service)},
                                     {"grpc_status", absl::StatusCodeToString(code)}});
                });
  }

  prometheus::Histogram& Finished(absl::string_view service, absl::string_view method,
                                  absl::StatusCode code) {
    return Find(server_series, Key(std::string(service), std::string(method), code),
                [&]() -> prometheus::Histogram& {
                  return server_duration.Add({{"service", std::string(service)},
                                              {"grpc_method", std::string(method)},
                                              {"grpc_status", absl::StatusCodeToString(code)}},
                                             Buckets());
                });
  }

  class Meter;

  std::mutex mutex;
  absl::flat_hash_map<std::pair<std::string, std::string>, std::unique_ptr<Meter>> meters;
  absl::flat_hash_map<Key, prometheus::Counter*> started_series;
  absl::flat_hash_map<Key, prometheus::Counter*> failed_series;
  absl::flat_hash_map<Key, prometheus::Histogram*> server_series;
  absl::flat_hash_map<Key, prometheus::Histogram*> client_series;
  absl::flat_hash_map<std::pair<std::string, int>, prometheus::Histogram*> http_series;
};

// Each series is found once.
class Metrics::Impl::Meter final : public CallMeter {
 public:
  Meter(Impl& impl, absl::string_view service, absl::string_view method)
      : impl_(impl), service_(service), method_(method), started_(impl.Started(service, method)) {}

  void Started() override { started_.Increment(); }

  void Finished(absl::StatusCode code, absl::Duration duration) override {
    if (code != absl::StatusCode::kOk) {
      Find(failed_, code, [&] { return &impl_.Failed(service_, code); })->Increment();
    }
    Find(finished_, code, [&] {
      return &impl_.Finished(service_, method_, code);
    })->Observe(absl::ToDoubleSeconds(duration));
  }

 private:
  template <typename Series>
  using ByCode = std::array<std::atomic<Series*>, 17>;  // the codes of gRPC, 0 to 16

  template <typename Series, typename Make>
  static Series* Find(ByCode<Series>& known, absl::StatusCode code, Make make) {
    const auto place = static_cast<size_t>(code);
    if (place >= known.size()) return make();
    Series* series = known[place].load(std::memory_order_acquire);
    if (series == nullptr) {
      series = make();
      known[place].store(series, std::memory_order_release);
    }
    return series;
  }

  Impl& impl_;
  const std::string service_;
  const std::string method_;
  prometheus::Counter& started_;
  ByCode<prometheus::Counter> failed_{};
  ByCode<prometheus::Histogram> finished_{};
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

CallMeter& Metrics::Meter(absl::string_view service, absl::string_view method) {
  auto meter = std::make_unique<Impl::Meter>(*impl_, service, method);
  impl_->Finished(service, method, absl::StatusCode::kOk);
  for (const absl::StatusCode code : kFailures) impl_->Failed(service, code);
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  std::unique_ptr<Impl::Meter>& known =
      impl_->meters[std::make_pair(std::string(service), std::string(method))];
  if (known == nullptr) known = std::move(meter);
  return *known;
}

void Metrics::ClientCallFinished(absl::string_view method, absl::StatusCode code,
                                 absl::Duration duration) {
  impl_
      ->Find(impl_->client_series, Impl::Key(std::string(), std::string(method), code),
             [&]() -> prometheus::Histogram& {
               return impl_->client_duration.Add({{"grpc_method", std::string(method)},
                                                  {"grpc_status", absl::StatusCodeToString(code)}},
                                                 Buckets());
             })
      .Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::HttpRequestFinished(absl::string_view route, int status, absl::Duration duration) {
  impl_
      ->Find(impl_->http_series, std::pair<std::string, int>(route, status),
             [&]() -> prometheus::Histogram& {
               return impl_->http_duration.Add(
                   {{"http_route", std::string(route)}, {"http_status", std::to_string(status)}},
                   Buckets());
             })
      .Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::Gauge(absl::string_view name, absl::string_view help,
                    std::map<std::string, std::string> labels, std::function<double()> read) {
  impl_->gauges->Add(prometheus::MetricType::Gauge, name, help, std::move(labels), std::move(read));
}

void Metrics::CounterOf(absl::string_view name, absl::string_view help,
                        std::map<std::string, std::string> labels, std::function<double()> read) {
  impl_->gauges->Add(prometheus::MetricType::Counter, name, help, std::move(labels),
                     std::move(read));
}

void Metrics::Count(absl::string_view name, absl::string_view help,
                    std::map<std::string, std::string> labels, double by) {
  // prometheus-cpp throws on a name or a label it does not like; a wrong metric fails no call.
  try {
    prometheus::BuildCounter()
        .Name(std::string(name))
        .Help(std::string(help))
        .Register(*impl_->registry)
        .Add(labels)
        .Increment(by);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "a counter was refused", {{"metric", name}, {"error", error.what()}});
  }
}

absl::StatusOr<int> Metrics::Expose(absl::string_view address) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(std::string(address));
    exposer->RegisterCollectable(impl_->registry);
    exposer->RegisterCollectable(impl_->gauges);
    const std::vector<int> ports = exposer->GetListeningPorts();
    if (!ports.empty()) {
      const std::lock_guard<std::mutex> lock(impl_->mutex);
      impl_->exposers.push_back(std::move(exposer));
      return ports.front();
    }
  } catch (const std::exception&) {
    // Said below; civetweb's text names no cause.
  }
  return absl::FailedPreconditionError(
      absl::StrCat("metrics cannot be served on ", address, ": taken or not an address of ours"));
}

std::string Metrics::Scrape() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry->Collect();
  for (prometheus::MetricFamily& family : impl_->gauges->Collect()) {
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace fadu::rpc
