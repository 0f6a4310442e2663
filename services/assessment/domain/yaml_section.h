// services/assessment/domain/yaml_section.h
//
// YAML read key by key: every key known, every value of its type, everything wrong told with its
// line and column in Chinese.
#ifndef FADU_SERVICES_ASSESSMENT_DOMAIN_YAML_SECTION_H_
#define FADU_SERVICES_ASSESSMENT_DOMAIN_YAML_SECTION_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/assessment/domain/rubric_yaml.h"

namespace fadu::assessment {

// A key of a map, and the field of the message that it fills.
struct YamlKey {
  std::string name;
  std::string field;
};

struct YamlChoice {
  std::string name;
  int value;
};

// Findings and places, collected while the tree is walked. At most 200 findings and 20,000 maps.
class YamlReport {
 public:
  // Borrows both.
  YamlReport(absl::string_view source, std::vector<v1::Finding>& findings, YamlPlaces& places);

  // The library counts lines from zero and columns in bytes.
  YamlPlace PlaceOf(const YAML::Mark& mark) const;
  void Put(const std::string& path, const YAML::Mark& mark);
  void Error(const YAML::Mark& mark, absl::string_view path, absl::string_view code,
             absl::string_view message);
  // Where the path was read; 0 when it was not.
  int LineOf(const std::string& path) const;
  // A colon of a Chinese keyboard near a line the library did not understand.
  bool HasWideColonNear(int line) const;
  // One more map; false when there are too many (aliases multiply), which is said once.
  bool Enter(const YAML::Mark& mark);

  bool failed() const { return failed_; }
  bool full() const;

 private:
  std::vector<v1::Finding>& findings_;
  YamlPlaces& places_;
  std::vector<absl::string_view> text_lines_;
  size_t maps_ = 0;
  bool failed_ = false;
};

// One map of the YAML.
class YamlSection {
 public:
  // Refuses unknown and duplicate keys.
  YamlSection(YamlReport& report, const YAML::Node& node, std::string path,
              const std::vector<YamlKey>& keys);

  bool valid() const { return valid_; }
  bool Has(absl::string_view key) const { return entries_.find(key) != entries_.end(); }
  std::string PathOf(absl::string_view key) const;
  // Where a key's value stands, or the map when there is no such key.
  YAML::Mark MarkOf(absl::string_view key) const;
  void Error(absl::string_view key, absl::string_view code, absl::string_view message) const;
  YamlReport& report() const { return report_; }

  // Text of a key; empty when it is missing, which is an error if it is required.
  std::string Text(absl::string_view key, bool required) const;
  // A word for ids and versions: letters, digits, dot, hyphen and underscore.
  std::string Word(absl::string_view key) const;
  // A decimal in 1/10,000 between two others; nullopt when missing or wrong. `percent`: a % sign
  // may follow.
  absl::optional<int64_t> Decimal(absl::string_view key, bool required, int64_t least, int64_t most,
                                  bool percent) const;
  absl::optional<int64_t> Whole(absl::string_view key, bool required, int64_t least,
                                int64_t most) const;
  // One of a few words; `fallback` when missing or wrong.
  int OneOf(absl::string_view key, bool required, const std::vector<YamlChoice>& choices,
            int fallback) const;
  // The items of a list, at most `most`.
  std::vector<YAML::Node> List(absl::string_view key, bool required, size_t most) const;
  // A key's value; null when missing.
  const YAML::Node* Find(absl::string_view key, bool required) const;

 private:
  struct Entry {
    YAML::Mark at;
    YAML::Node value;
  };

  void Unknown(const YAML::Mark& at, const std::string& name) const;

  YamlReport& report_;
  const std::string path_;
  const YAML::Mark mark_;
  bool valid_ = false;
  std::map<std::string, std::string, std::less<>> fields_;
  std::vector<std::string> names_;  // of the keys, in the order they were given
  std::map<std::string, Entry, std::less<>> entries_;
};

// The one document of a source; nullopt after an error. No exception leaves here.
absl::optional<YAML::Node> LoadYaml(YamlReport& report, absl::string_view source, size_t max_bytes);

// Compiles a rubric that stands inside another document: `node` of `source`.
CompiledRubric CompileRubricNode(absl::string_view source, const YAML::Node& node);

// Text in Chinese quotation marks, cut to 40 bytes.
std::string QuotedText(absl::string_view text);

// "path.field", "path[3]".
std::string JoinPath(absl::string_view path, absl::string_view field);
std::string ItemPath(absl::string_view path, size_t index);

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_DOMAIN_YAML_SECTION_H_
