#include "services/gateway/domain/utf8.h"

namespace fadu::gateway {

size_t CharacterSize(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t size = byte(0) < 0x80                       ? 1
                      : byte(0) >= 0xC2 && byte(0) < 0xE0  ? 2
                      : byte(0) >= 0xE0 && byte(0) < 0xF0  ? 3
                      : byte(0) >= 0xF0 && byte(0) <= 0xF4 ? 4
                                                           : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (size >= 3) {  // overlong forms, surrogates, beyond Unicode
    const unsigned pair = byte(0) << 8U | byte(1);
    if (pair < 0xE0A0 || (pair >= 0xEDA0 && pair < 0xEE00) || (pair >= 0xF000 && pair < 0xF090) ||
        pair >= 0xF490) {
      return 0;
    }
  }
  return size;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace fadu::gateway
