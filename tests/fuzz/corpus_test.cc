// Every file of every corpus, replayed: seeds, and what once crashed.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "common/base/log.h"
#include "tests/fuzz/targets.h"

namespace fadu::fuzz {
namespace {

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, IsReadToItsEnd) {
  SetLogDescriptor(-1);
  const auto& [name, target] = GetParam();
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/" + name)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    SCOPED_TRACE(entry.path());
    target(bytes);
    ++files;
  }
  EXPECT_GT(files, 0);
}

INSTANTIATE_TEST_SUITE_P(OfEachParser, Corpus, ::testing::ValuesIn(Targets()),
                         [](const ::testing::TestParamInfo<Target>& target) {
                           return target.param.first;
                         });

}  // namespace
}  // namespace fadu::fuzz
