// libFuzzer's entry: one program for each target, named by FADU_FUZZ_TARGET.

#include <cstddef>
#include <cstdint>
#include <functional>

#include <google/protobuf/stubs/logging.h>

#include "common/base/log.h"
#include "tests/fuzz/targets.h"

namespace {

const std::function<void(absl::string_view)>& Target() {
  static const std::function<void(absl::string_view)>* const target = [] {
    fadu::SetLogDescriptor(-1);
    google::protobuf::SetLogHandler(nullptr);
    for (const fadu::fuzz::Target& known : fadu::fuzz::Targets()) {
      if (known.first == FADU_FUZZ_TARGET) return &known.second;
    }
    __builtin_trap();
  }();
  return *target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Target()(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
