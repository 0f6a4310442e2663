#include "tests/bench/load.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "common/rpc/channel.h"

namespace fadu::bench {
namespace {

struct Window {
  absl::Time begin;
  absl::Time end;
};

// One caller. Its calls follow one another, each on a thread of the channel.
class Caller {
 public:
  Caller(const LoadOptions& options, int number, rpc::Channel& channel, Window window,
         absl::BlockingCounter& left)
      : options_(options),
        number_(number),
        channel_(channel),
        window_(window),
        left_(left),
        request_(options.request->New()),
        response_(options.response->New()) {
    request_->CopyFrom(*options.request);
    call_.bearer = options.bearer(number);
  }

  void Send() {
    options_.next(number_, *request_, answered_ == 0 ? nullptr : response_.get());
    sent_ = absl::Now();
    call_.deadline = sent_ + absl::Seconds(25);
    channel_.CallAsync(options_.method, *request_, response_.get(), call_,
                       [this](const absl::Status& status) { Answered(status); });
  }

  // Valid when the loop has ended.
  int64_t answered() const { return answered_; }
  const std::vector<double>& milliseconds() const { return milliseconds_; }
  const std::string& failure() const { return failure_; }

 private:
  void Answered(const absl::Status& status) {
    const absl::Time now = absl::Now();
    if (!status.ok()) {
      failure_ = status.ToString();
      return left_.DecrementCount(), void();
    }
    ++answered_;
    // Counted by when it ended, so that slow calls of the warm-up are not left out.
    if (now >= window_.begin && now < window_.end) {
      milliseconds_.push_back(absl::ToDoubleMilliseconds(now - sent_));
    }
    if (now >= window_.end) return left_.DecrementCount(), void();
    Send();
  }

  const LoadOptions& options_;
  const int number_;
  rpc::Channel& channel_;
  const Window window_;
  absl::BlockingCounter& left_;
  const std::unique_ptr<google::protobuf::Message> request_;
  const std::unique_ptr<google::protobuf::Message> response_;
  rpc::CallOptions call_;
  absl::Time sent_;
  int64_t answered_ = 0;
  std::vector<double> milliseconds_;
  std::string failure_;
};

}  // namespace

double LoadResult::mean() const {
  if (milliseconds.empty()) return 0;
  return std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0) /
         static_cast<double>(milliseconds.size());
}

double LoadResult::percentile(double share) const {
  if (milliseconds.empty()) return 0;
  const auto rank = static_cast<size_t>(share * static_cast<double>(milliseconds.size()));
  return milliseconds[std::min(rank, milliseconds.size() - 1)];
}

LoadResult RunLoad(const LoadOptions& options) {
  std::vector<std::shared_ptr<rpc::Channel>> channels;
  for (int i = 0; i < options.channels; ++i) {
    channels.push_back(rpc::Channel::ToAddress(options.target));
  }
  absl::BlockingCounter left(options.callers);
  const absl::Time begin = absl::Now() + options.warm_up;
  const Window window{begin, begin + options.measure};
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < options.callers; ++i) {
    callers.push_back(std::make_unique<Caller>(
        options, i, *channels[static_cast<size_t>(i) % channels.size()], window, left));
  }
  for (const auto& caller : callers) caller->Send();
  left.Wait();
  LoadResult result;
  result.seconds = absl::ToDoubleSeconds(options.measure);
  for (const auto& caller : callers) {
    result.answered += caller->answered();
    result.milliseconds.insert(result.milliseconds.end(), caller->milliseconds().begin(),
                               caller->milliseconds().end());
    if (result.failure.empty()) result.failure = caller->failure();
  }
  result.measured = static_cast<int64_t>(result.milliseconds.size());
  std::sort(result.milliseconds.begin(), result.milliseconds.end());
  return result;
}

}  // namespace fadu::bench
