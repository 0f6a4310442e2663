#include "common/rpc/executor.h"

#include <atomic>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace fadu::rpc {
namespace {

using ::testing::ElementsAre;

// One thread that is busy until it is let go.
class ExecutorTest : public ::testing::Test {
 protected:
  void Occupy(Executor& executor) {
    ASSERT_TRUE(executor.Submit(absl::Now() + absl::Minutes(1), [this](Turn) {
      begun_.Notify();
      release_.WaitForNotification();
    }));
    begun_.WaitForNotification();
  }
  absl::Notification begun_;
  absl::Notification release_;
};

TEST_F(ExecutorTest, RunsInOrderOfArrival) {
  std::vector<int> order;
  {
    Executor executor(1, 10);
    Occupy(executor);
    absl::Notification last;
    for (int i = 0; i < 3; ++i) {
      const absl::Time deadline = absl::Now() + absl::Minutes(3 - i);
      ASSERT_TRUE(executor.Submit(deadline, [&order, &last, i](Turn turn) {
        if (turn == Turn::kRun) order.push_back(i);
        if (i == 2) last.Notify();
      }));
    }
    release_.Notify();
    last.WaitForNotification();
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST_F(ExecutorTest, RefusesWhenAllThreadsAndPlacesAreTaken) {
  std::atomic<int> called{0};
  {
    Executor executor(1, 1);
    Occupy(executor);
    const auto count = [&called](Turn) { ++called; };
    EXPECT_TRUE(executor.Submit(absl::Now() + absl::Minutes(1), count));
    EXPECT_FALSE(executor.Submit(absl::Now() + absl::Minutes(1), count));
    release_.Notify();
  }
  EXPECT_EQ(called, 1);
}

TEST_F(ExecutorTest, ItsLoadIsWhatRunsAndWhatWaits) {
  std::shared_ptr<const Executor::Load> load;
  {
    Executor executor(1, 2);
    load = executor.load();
    Occupy(executor);
    ASSERT_TRUE(executor.Submit(absl::Now() + absl::Minutes(1), [](Turn) {}));
    ASSERT_TRUE(executor.Submit(absl::Now() + absl::Minutes(1), [](Turn) {}));
    EXPECT_EQ(load->running, 1);
    EXPECT_EQ(load->waiting, 2);
    release_.Notify();
  }
  EXPECT_EQ(load->running, 0);
  EXPECT_EQ(load->waiting, 0);
}

TEST_F(ExecutorTest, TellsAWaitingTaskThatItsDeadlinePassed) {
  Executor executor(1, 1);
  Occupy(executor);
  absl::Notification told;
  Turn turn = Turn::kRun;
  ASSERT_TRUE(executor.Submit(absl::Now() + absl::Milliseconds(20), [&](Turn what) {
    turn = what;
    told.Notify();
  }));
  told.WaitForNotification();  // while the only thread is still busy
  EXPECT_EQ(turn, Turn::kExpired);
  release_.Notify();
}

TEST_F(ExecutorTest, TellsWaitingTasksThatItCloses) {
  Executor executor(1, 1);
  Occupy(executor);
  absl::Notification told;
  Turn turn = Turn::kRun;
  ASSERT_TRUE(executor.Submit(absl::Now() + absl::Minutes(1), [&](Turn what) {
    turn = what;
    told.Notify();
  }));
  executor.Close(absl::Now());
  told.WaitForNotification();
  EXPECT_EQ(turn, Turn::kClosed);
  EXPECT_FALSE(executor.Submit(absl::Now() + absl::Minutes(1), [](Turn) {}));
  release_.Notify();
}

}  // namespace
}  // namespace fadu::rpc
