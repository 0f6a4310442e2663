#include "common/base/id.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/hash/hash.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"

namespace fadu {
namespace {

constexpr char kText[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

TEST(Uuid, ReadsBackWhatItWrites) {
  const absl::StatusOr<Uuid> id = Uuid::Parse(kText);
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(id->ToString(), kText);
  EXPECT_EQ(id->bytes()[0], 0x01);
  EXPECT_EQ(id->bytes()[15], 0x8f);
  EXPECT_EQ(id->view().size(), 16u);
}

TEST(Uuid, RefusesAllButTheCanonicalForm) {
  for (const char* text :
       {"", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4 dc0c0c07398f"}) {
    EXPECT_THAT(Uuid::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(Uuid::Parse(text), HasReason("")) << text;
  }
}

TEST(Uuid, IsNilUntilSet) {
  EXPECT_TRUE(Uuid().IsNil());
  EXPECT_EQ(Uuid().ToString(), "00000000-0000-0000-0000-000000000000");
  EXPECT_FALSE(CountingIds::Nth(1).IsNil());
}

TEST(Uuid, IsComparedBytewise) {
  const Uuid low = *Uuid::Parse("00000000-0000-7000-8000-0000000000ff");
  const Uuid high = *Uuid::Parse("80000000-0000-7000-8000-000000000000");
  EXPECT_LT(low, high);
  EXPECT_NE(low, high);
  EXPECT_EQ(absl::Hash<Uuid>()(low), absl::Hash<Uuid>()(*Uuid::Parse(low.ToString())));
}

// RFC 9562 appendix A.6: 2022-02-22 14:22:22.00 at UTC-05:00 is 0x017F22E279B0 milliseconds.
TEST(UuidV7, BeginsWithTheMillisecondsAndNamesItsVersion) {
  FakeClock clock(absl::FromCivil(absl::CivilSecond(2022, 2, 22, 19, 22, 22), absl::UTCTimeZone()));
  const Uuid id = NewUuidV7Source(clock)->NewId();
  EXPECT_EQ(id.ToString().substr(0, 15), "017f22e2-79b0-7");
  EXPECT_EQ(id.bytes()[8] & 0xc0, 0x80);
}

TEST(UuidV7, SortsByTime) {
  FakeClock clock;
  const std::unique_ptr<IdSource> ids = NewUuidV7Source(clock);
  const Uuid first = ids->NewId();
  clock.Advance(absl::Milliseconds(1));
  EXPECT_LT(first, ids->NewId());
}

// More than the 4,096 values of the counter: the source runs ahead of a clock that stands.
TEST(UuidV7, IncreasesWhileTheClockStands) {
  FakeClock clock;
  const std::unique_ptr<IdSource> ids = NewUuidV7Source(clock);
  Uuid last = ids->NewId();
  for (int i = 0; i < 10000; ++i) {
    const Uuid next = ids->NewId();
    ASSERT_LT(last, next) << i;
    last = next;
  }
}

TEST(UuidV7, IncreasesWhenTheClockStepsBack) {
  FakeClock clock;
  const std::unique_ptr<IdSource> ids = NewUuidV7Source(clock);
  const Uuid before = ids->NewId();
  clock.Advance(-absl::Hours(1));
  const Uuid after = ids->NewId();
  EXPECT_LT(before, after);
  EXPECT_LT(after, ids->NewId());
}

TEST(UuidV7, IsUniqueAmongThreads) {
  FakeClock clock;
  const std::unique_ptr<IdSource> ids = NewUuidV7Source(clock);
  std::vector<std::vector<Uuid>> made(4);
  std::vector<std::thread> threads;
  for (std::vector<Uuid>& mine : made) {
    threads.emplace_back([&ids, &mine] {
      for (int i = 0; i < 2000; ++i) mine.push_back(ids->NewId());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Uuid> all;
  for (const std::vector<Uuid>& mine : made) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 8000u);
}

// Two processes that start in one millisecond must not give the same ids.
TEST(UuidV7, DiffersBetweenSourcesAtOneTime) {
  FakeClock clock;
  EXPECT_NE(NewUuidV7Source(clock)->NewId(), NewUuidV7Source(clock)->NewId());
}

TEST(RandomBytes, AreAsManyAsAskedForAndNotTwiceTheSame) {
  EXPECT_EQ(RandomBytes(0), "");
  EXPECT_EQ(RandomBytes(32).size(), 32u);
  EXPECT_NE(RandomBytes(32), RandomBytes(32));
}

// What a process has in store must not be given out twice, by it and by its child.
TEST(RandomBytes, AreOthersInAForkedProcess) {
  RandomBytes(16);  // there is something in store now
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string bytes = RandomBytes(16);
    _exit(write(ends[1], bytes.data(), bytes.size()) == 16 ? 0 : 1);
  }
  const std::string ours = RandomBytes(16);
  std::string theirs(16, '\0');
  EXPECT_EQ(read(ends[0], theirs.data(), theirs.size()), 16);
  int state = 0;
  waitpid(child, &state, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_EQ(state, 0);
  EXPECT_NE(ours, theirs);
}

TEST(CountingIds, CountFromOne) {
  CountingIds ids;
  EXPECT_EQ(ids.NewId().ToString(), "00000000-0000-7000-8000-000000000001");
  EXPECT_EQ(ids.NewId().ToString(), "00000000-0000-7000-8000-000000000002");
  EXPECT_EQ(ids.NewId(), CountingIds::Nth(3));
  EXPECT_EQ(CountingIds::Nth(0x1234).ToString(), "00000000-0000-7000-8000-000000001234");
}

}  // namespace
}  // namespace fadu
