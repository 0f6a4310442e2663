#include "common/base/digest.h"

#include <gtest/gtest.h>

namespace fadu {
namespace {

// Examples of FIPS 180-4.
TEST(Digest, IsSha256) {
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, IsStoredBehindItsAlgorithm) {
  const std::string stored = StoredDigest("abc");
  EXPECT_EQ(stored.size(), 33u);
  EXPECT_EQ(stored[0], 1);
  EXPECT_EQ(stored.substr(1), Sha256("abc"));
}

TEST(Digest, CoversNulBytes) {
  EXPECT_NE(Sha256(absl::string_view("a\0b", 3)), Sha256(absl::string_view("a\0c", 3)));
}

TEST(Hex, IsLowerCaseAndKeepsZeros) {
  EXPECT_EQ(Hex(absl::string_view("\x00\x0a\xff", 3)), "000aff");
  EXPECT_EQ(Hex(""), "");
}

// RFC 4231 §4.2, §4.3 and §4.7.
TEST(HmacSha256, FollowsTheVectorsOfRfc4231) {
  EXPECT_EQ(Hex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(std::string(131, '\xaa'),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// A view that was never set has no bytes and no address; OpenSSL refused it, and the answer was 32
// zero bytes. The value is that of Python's hmac, another implementation.
TEST(HmacSha256, TakesAnEmptyKeyAndEmptyData) {
  const char* expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(Hex(HmacSha256("", "")), expected);
  EXPECT_EQ(Hex(HmacSha256(absl::string_view(), absl::string_view())), expected);
}

}  // namespace
}  // namespace fadu
