// services/assessment/domain/yaml_message.h
//
// A message read from YAML by its descriptor: the contract is the manual. A key is a field's name;
// what differs is said here.
//
//   amount_e4            amount       a decimal, exact
//   target_percent_e4    target       a decimal, with or without %
//   an enum              its code in lower case: half_year
//   comparison, threshold_e4          one of at_least, more_than, at_most, less_than, equal
//   RateStep.above       side         below (the default) or above
//   Gate.effect          form         G03
#ifndef FADU_SERVICES_ASSESSMENT_DOMAIN_YAML_MESSAGE_H_
#define FADU_SERVICES_ASSESSMENT_DOMAIN_YAML_MESSAGE_H_

#include <set>
#include <string>
#include <vector>

#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include "absl/strings/string_view.h"
#include "services/assessment/domain/yaml_section.h"

namespace fadu::assessment {

// The keys that fill a message's fields; oneof members are left out. `prefix` stands before every
// field ("shortfall").
std::vector<YamlKey> KeysOf(const google::protobuf::Descriptor& descriptor,
                            absl::string_view prefix);

// Fills `message` from the keys of a section. Required fields (Rules) must be there; numbers are
// kept within their Rules, points within a million. Fields named in `but` are left as they are.
void ReadFields(const YamlSection& section, google::protobuf::Message& message,
                const std::set<std::string>& but = {});

// Reads a map into `message`.
void ReadMessage(YamlReport& report, const YAML::Node& node, const std::string& path,
                 google::protobuf::Message& message);

// Reads a map into `message` as far as it goes: nothing is required. Records of a scenario are read
// so.
void ReadGiven(YamlReport& report, const YAML::Node& node, const std::string& path,
               google::protobuf::Message& message);

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_DOMAIN_YAML_MESSAGE_H_
