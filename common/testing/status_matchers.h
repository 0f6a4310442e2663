// common/testing/status_matchers.h
//
// Matchers for absl::Status and absl::StatusOr, with the names and meaning of upstream Abseil's
// (to be deleted when our Abseil has them), and HasReason for ours. Each takes both types.
#ifndef FADU_COMMON_TESTING_STATUS_MATCHERS_H_
#define FADU_COMMON_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include <gmock/gmock.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/status.h"

namespace fadu {
namespace testing_internal {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Tells what came instead, as gmock cannot print the payload of a StatusOr.
inline bool Explain(bool matched, const absl::Status& status,
                    ::testing::MatchResultListener* listener) {
  *listener << "which is " << status.ToString();
  return matched;
}

class IsOkMatcher {
 public:
  using is_gtest_matcher = void;
  template <typename S>
  bool MatchAndExplain(const S& actual, ::testing::MatchResultListener* listener) const {
    return Explain(StatusOf(actual).ok(), StatusOf(actual), listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "is OK"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK"; }
};

class StatusIsMatcher {
 public:
  using is_gtest_matcher = void;
  explicit StatusIsMatcher(absl::StatusCode code) : code_(code) {}
  template <typename S>
  bool MatchAndExplain(const S& actual, ::testing::MatchResultListener* listener) const {
    return Explain(StatusOf(actual).code() == code_, StatusOf(actual), listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "has code " << code_; }
  void DescribeNegationTo(std::ostream* os) const { *os << "does not have code " << code_; }

 private:
  absl::StatusCode code_;
};

class HasReasonMatcher {
 public:
  using is_gtest_matcher = void;
  explicit HasReasonMatcher(std::string reason) : reason_(std::move(reason)) {}
  template <typename S>
  bool MatchAndExplain(const S& actual, ::testing::MatchResultListener* listener) const {
    const absl::Status& status = StatusOf(actual);
    return Explain(!status.ok() && ReasonOf(status) == reason_, status, listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "is a failure with reason " << reason_; }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not a failure with reason " << reason_;
  }

 private:
  std::string reason_;
};

template <typename S>
class IsOkAndHoldsImpl : public ::testing::MatcherInterface<S> {
 public:
  using Value = typename std::decay_t<S>::value_type;
  template <typename M>
  explicit IsOkAndHoldsImpl(const M& value)
      : value_(::testing::SafeMatcherCast<const Value&>(value)) {}

  bool MatchAndExplain(S actual, ::testing::MatchResultListener* listener) const override {
    if (!actual.ok()) return Explain(false, actual.status(), listener);
    *listener << "whose value is " << ::testing::PrintToString(*actual) << ", ";
    return value_.MatchAndExplain(*actual, listener);
  }
  void DescribeTo(std::ostream* os) const override {
    *os << "is OK and holds a value that ";
    value_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const override {
    *os << "is not OK or holds a value that ";
    value_.DescribeNegationTo(os);
  }

 private:
  ::testing::Matcher<const Value&> value_;
};

template <typename M>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(M value) : value_(std::move(value)) {}
  template <typename S>
  operator ::testing::Matcher<S>() const {  // NOLINT: gmock's way to a polymorphic matcher
    return ::testing::Matcher<S>(new IsOkAndHoldsImpl<const S&>(value_));
  }

 private:
  M value_;
};

}  // namespace testing_internal

// OK, whatever it holds.
inline testing_internal::IsOkMatcher IsOk() { return {}; }

// A StatusOr that is OK and whose value matches `value`, a matcher or a value.
template <typename M>
testing_internal::IsOkAndHoldsMatcher<std::decay_t<M>> IsOkAndHolds(M&& value) {
  return testing_internal::IsOkAndHoldsMatcher<std::decay_t<M>>(std::forward<M>(value));
}

// Has this code, OK included.
inline testing_internal::StatusIsMatcher StatusIs(absl::StatusCode code) {
  return testing_internal::StatusIsMatcher(code);
}

// A failure whose reason is `reason`: "REASON_ETAG_MISMATCH"; "" is a failure without one.
inline testing_internal::HasReasonMatcher HasReason(std::string reason) {
  return testing_internal::HasReasonMatcher(std::move(reason));
}

}  // namespace fadu

#endif  // FADU_COMMON_TESTING_STATUS_MATCHERS_H_
