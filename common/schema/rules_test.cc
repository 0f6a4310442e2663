#include "common/schema/rules.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/fixture/v1/fixture.pb.h"

namespace fadu {
namespace {

using fadu::fixture::v1::Widget;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A message of fields that the fixture lacks.
constexpr char kProbeFile[] = R"txt(
  name: "rules_probe.proto" package: "fadu.probe.v1" syntax: "proto3"
  dependency: "google/protobuf/any.proto" dependency: "google/protobuf/timestamp.proto"
  dependency: "google/protobuf/field_mask.proto" dependency: "fadu/common/v1/options.proto"
  enum_type { name: "Kind" value { name: "KIND_UNSPECIFIED" number: 0 } value { name: "KIND_A" number: 1 } }
  message_type {
    name: "Probe"
    field { name: "id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { format: FORMAT_UUID } } }
    field { name: "day" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { format: FORMAT_DATE } } }
    field { name: "area" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { format: FORMAT_AREA_CODE } } }
    field { name: "name" number: 4 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { format: FORMAT_NAME } } }
    field { name: "decimal" number: 5 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { format: FORMAT_DECIMAL } } }
    field { name: "area_name" number: 6 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { format: FORMAT_AREA_NAME } } }
    field { name: "bytes" number: 7 label: LABEL_OPTIONAL type: TYPE_BYTES options { [fadu.common.v1.rules] { max_len: 3 } } }
    field { name: "words" number: 8 label: LABEL_REPEATED type: TYPE_STRING options { [fadu.common.v1.rules] { max_len: 2 max_items: 3 } } }
    field { name: "child" number: 9 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".fadu.probe.v1.Probe" }
    field { name: "children" number: 10 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".fadu.probe.v1.Probe" }
    field { name: "any" number: 11 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Any" }
    field { name: "time" number: 12 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" }
    field { name: "mask" number: 13 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.FieldMask" }
    field { name: "kinds" number: 14 label: LABEL_REPEATED type: TYPE_ENUM type_name: ".fadu.probe.v1.Kind" }
    field { name: "cap" number: 15 label: LABEL_OPTIONAL type: TYPE_INT64 proto3_optional: true oneof_index: 0 options { [fadu.common.v1.rules] { min: 5 } } }
    field { name: "large" number: 16 label: LABEL_OPTIONAL type: TYPE_UINT64 options { [fadu.common.v1.rules] { max: 9 } } }
    field { name: "years" number: 17 label: LABEL_REPEATED type: TYPE_INT32 options { [fadu.common.v1.rules] { min: 2000 max: 2999 } } }
    field { name: "by_name" number: 18 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".fadu.probe.v1.Probe.ByNameEntry" }
    field { name: "kind" number: 19 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".fadu.probe.v1.Kind" }
    nested_type {
      name: "ByNameEntry" options { map_entry: true }
      field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
      field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".fadu.probe.v1.Probe" }
    }
    oneof_decl { name: "_cap" }
  }
  message_type {
    name: "Wanted"
    field { name: "child" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".fadu.probe.v1.Probe" options { [fadu.common.v1.rules] { required: true } } }
    field { name: "children" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".fadu.probe.v1.Probe" options { [fadu.common.v1.rules] { required: true } } }
    field { name: "number" number: 3 label: LABEL_OPTIONAL type: TYPE_INT32 options { [fadu.common.v1.rules] { required: true } } }
    field { name: "bytes" number: 4 label: LABEL_OPTIONAL type: TYPE_BYTES options { [fadu.common.v1.rules] { required: true } } }
    field { name: "yes" number: 5 label: LABEL_OPTIONAL type: TYPE_BOOL options { [fadu.common.v1.rules] { required: true } } }
    field { name: "any" number: 6 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Any" options { [fadu.common.v1.rules] { required: true } } }
    field { name: "least" number: 7 label: LABEL_OPTIONAL type: TYPE_INT64 proto3_optional: true oneof_index: 0 options { [fadu.common.v1.rules] { required: true } } }
    oneof_decl { name: "_least" }
  }
)txt";

const google::protobuf::FileDescriptor* ProbeFile() {
  static const google::protobuf::FileDescriptor* const file = [] {
    // The well-known types are in the generated pool once something linked names them.
    google::protobuf::Any::descriptor();
    google::protobuf::Timestamp::descriptor();
    google::protobuf::FieldMask::descriptor();
    google::protobuf::FileDescriptorProto proto;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kProbeFile, &proto));
    auto* pool =
        new google::protobuf::DescriptorPool(google::protobuf::DescriptorPool::generated_pool());
    return pool->BuildFile(proto);
  }();
  return file;
}

// A Probe (or another message of the file).
std::unique_ptr<google::protobuf::Message> Parse(const std::string& text,
                                                 const std::string& message = "Probe") {
  static auto* const factory = new google::protobuf::DynamicMessageFactory;
  std::unique_ptr<google::protobuf::Message> probe(
      factory->GetPrototype(ProbeFile()->FindMessageTypeByName(message))->New());
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, probe.get())) << text;
  return probe;
}

// Its violations, as "path: description".
std::vector<std::string> Wrong(const std::string& text, const std::string& message = "Probe") {
  const std::unique_ptr<google::protobuf::Message> probe = Parse(text, message);
  std::vector<std::string> found;
  for (const FieldViolation& violation : FindViolations(*probe)) {
    found.push_back(violation.field + ": " + violation.description);
  }
  return found;
}

Widget Good() {
  Widget widget;
  widget.set_area_code("421221106200");
  widget.set_made_date("2024-03-15");
  widget.set_title("木椅");
  widget.set_colour(fadu::fixture::v1::COLOUR_RED);
  return widget;
}

std::vector<std::string> FieldsWrong(const Widget& widget) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FindViolations(widget)) fields.push_back(violation.field);
  return fields;
}

TEST(Rules, PassAMessageThatKeepsThem) {
  EXPECT_THAT(FieldsWrong(Good()), IsEmpty());
  EXPECT_THAT(CheckRules(Good()), IsOk());
}

TEST(Rules, NameEveryRequiredFieldThatIsMissing) {
  EXPECT_THAT(FieldsWrong(Widget()), ElementsAre("area_code", "made_date", "title", "colour"));
}

// A limit of 100 is 100 characters as people count them, not bytes.
TEST(Rules, CountTextInCodePoints) {
  Widget widget = Good();
  std::string title;
  for (int i = 0; i < 100; ++i) title += "椅";
  widget.set_title(title);
  EXPECT_THAT(FieldsWrong(widget), IsEmpty());
  widget.set_title(title + "子");
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("title"));
}

TEST(Rules, SayHowManyCharactersAreAllowedAndThere) {
  Widget widget = Good();
  widget.set_title(std::string(101, 'x'));
  const std::vector<FieldViolation> violations = FindViolations(widget);
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].description, "最多 100 个字，现有 101 个字");
}

TEST(Rules, RefuseTextThatIsNotUtf8) {
  for (const char* text :
       {"\x80", "\xC0\xAF", "\xC3", "\xE6\x9C", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xFF", "ok\xE6", "\xE0\x80\xAF"}) {
    Widget widget = Good();
    widget.set_title(text);
    EXPECT_THAT(FieldsWrong(widget), ElementsAre("title"));
  }
}

TEST(Rules, AcceptEveryLengthOfUtf8) {
  Widget widget = Good();
  widget.set_title("a\xC3\xA9\xE6\x9C\xA8\xF0\xA0\xAE\xB7\xF4\x8F\xBF\xBF");
  EXPECT_THAT(FieldsWrong(widget), IsEmpty());
}

// PostgreSQL cannot store it.
TEST(Rules, RefuseTextWithANullCharacter) {
  Widget widget = Good();
  widget.set_title(std::string("a\0b", 3));
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("title"));
}

TEST(Rules, CheckTextThatHasNoRulesOfItsOwn) {
  Widget widget = Good();
  widget.set_remark("\xFF");
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("remark"));
}

TEST(Rules, KeepNumbersWithinTheirRange) {
  Widget widget = Good();
  widget.set_weight(1000000);
  EXPECT_THAT(FieldsWrong(widget), IsEmpty());
  widget.set_weight(1000001);
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("weight"));
  widget.set_weight(-1);
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("weight"));
}

TEST(Rules, KeepEveryItemOfARepeatedNumberWithinRange) {
  EXPECT_THAT(Wrong("years: 2000 years: 2999"), IsEmpty());
  EXPECT_THAT(Wrong("years: 2024 years: 1999 years: 3000"),
              ElementsAre("years[1]: 不能小于 2000", "years[2]: 不能大于 2999"));
}

TEST(Rules, CompareTheGreatestUnsignedNumbers) {
  EXPECT_THAT(Wrong("large: 9"), IsEmpty());
  EXPECT_THAT(Wrong("large: 18446744073709551615"), ElementsAre("large: 不能大于 9"));
}

TEST(Rules, AskNothingOfAnOptionalFieldThatIsAbsent) {
  EXPECT_THAT(Wrong(""), IsEmpty());
  EXPECT_THAT(Wrong("cap: 0"), ElementsAre("cap: 不能小于 5"));
}

TEST(Rules, RefuseAnEnumeratorThatDoesNotExist) {
  Widget widget = Good();
  widget.set_colour(static_cast<fadu::fixture::v1::Colour>(99));
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("colour"));
}

TEST(Rules, RefuseAnUnspecifiedEnumeratorOnlyWhereOneIsRequired) {
  Widget widget = Good();
  widget.set_colour(fadu::fixture::v1::COLOUR_UNSPECIFIED);
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("colour"));
  EXPECT_THAT(Wrong("kind: KIND_UNSPECIFIED"), IsEmpty());
}

// An item that says nothing is never meant.
TEST(Rules, RefuseAnUnspecifiedItem) {
  EXPECT_THAT(Wrong("kinds: KIND_A"), IsEmpty());
  EXPECT_THAT(Wrong("kinds: KIND_A kinds: KIND_UNSPECIFIED"), ElementsAre("kinds[1]: 请选择一项"));
}

TEST(Rules, CountItems) {
  Widget widget = Good();
  for (int i = 0; i < 10; ++i) widget.add_stripes(fadu::fixture::v1::COLOUR_RED);
  EXPECT_THAT(FieldsWrong(widget), IsEmpty());
  widget.add_stripes(fadu::fixture::v1::COLOUR_RED);
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("stripes"));
}

TEST(Rules, ApplyTheLengthToEachItem) {
  EXPECT_THAT(Wrong("words: '木椅' words: 'abc' words: ''"),
              ElementsAre("words[1]: 最多 2 个字，现有 3 个字"));
}

TEST(Rules, CountBytesOfABytesField) {
  EXPECT_THAT(Wrong(R"(bytes: "\xff\x00\xff")"), IsEmpty());
  EXPECT_THAT(Wrong(R"(bytes: "1234")"), ElementsAre("bytes: 最多 3 字节"));
}

TEST(Rules, KnowWhatRequiredMeansForEveryType) {
  EXPECT_THAT(Wrong("", "Wanted"),
              ElementsAre("child: 不能为空", "children: 至少填写一项", "number: 不能为空",
                          "bytes: 不能为空", "yes: 不能为空", "any: 不能为空", "least: 不能为空"));
  // An optional number may be zero: it is there once it is given.
  EXPECT_THAT(
      Wrong("child {} children {} number: -1 bytes: 'x' yes: true any {} least: 0", "Wanted"),
      IsEmpty());
}

TEST(Rules, GiveThePathOfANestedField) {
  Widget widget = Good();
  widget.add_people()->set_name("张三");
  widget.add_people();
  widget.add_people()->set_phone("123456789012345678901");
  EXPECT_THAT(FieldsWrong(widget), ElementsAre("people[2].phone"));
}

TEST(Rules, GiveThePathOfAMapEntry) {
  EXPECT_THAT(
      Wrong("by_name { key: 'b' value { day: 'x' } } by_name { key: 'a' value { id: 'x' } }"),
      ElementsAre("by_name[\"a\"].id: 应为小写 UUID",
                  "by_name[\"b\"].day: 应为存在的日期，形如 2024-03-15"));
}

TEST(Rules, DoNotEnterWellKnownTypes) {
  EXPECT_THAT(Wrong("any { type_url: 'x/y' value: '\\377' } time { nanos: -5 } mask { paths: '' }"),
              IsEmpty());
}

// Messages nest as deep as a caller likes; the program's stack does not.
TEST(Rules, StopAtADepthOf32) {
  std::string fine;
  for (int i = 0; i < 32; ++i) fine += "child { ";
  const std::string ends(32, '}');
  EXPECT_THAT(Wrong(fine + ends), IsEmpty());
  EXPECT_THAT(Wrong(fine + "child {}" + ends),
              ElementsAre(::testing::EndsWith("child: 嵌套过深（最多 32 层）")));
}

TEST(ParseBounded, StopsAtADepthOf32) {
  std::string fine;
  for (int i = 0; i < 32; ++i) fine += "child { ";
  const std::string ends(32, '}');
  const std::string deep = Parse(fine + "child {}" + ends)->SerializeAsString();
  EXPECT_FALSE(ParseBounded(deep, *Parse("")));
  EXPECT_TRUE(ParseBounded(Parse(fine + ends)->SerializeAsString(), *Parse("")));
}

TEST(ParseBounded, TakesNoBytesBesides) {
  EXPECT_FALSE(ParseBounded(std::string("\x0a\xff\xff"), *Parse("")));
  EXPECT_FALSE(ParseBounded(std::string("\x0c", 1), *Parse("")));  // the end of a group
  EXPECT_TRUE(ParseBounded("", *Parse("")));
}

// What is not known is past every rule and every class: it would be stored and given out in clear.
TEST(CheckKnown, NamesTheFirstFieldThatIsNotKnown) {
  const auto probe = Parse("child { children { id: 'x' } children { id: 'y' } }");
  EXPECT_THAT(CheckKnown(*probe), IsOk());
  google::protobuf::Message* child = probe->GetReflection()->MutableMessage(
      probe.get(), probe->GetDescriptor()->FindFieldByName("child"));
  google::protobuf::Message* second = child->GetReflection()->MutableRepeatedMessage(
      child, child->GetDescriptor()->FindFieldByName("children"), 1);
  second->GetReflection()->MutableUnknownFields(second)->AddLengthDelimited(999, "420000…");
  const absl::Status status = CheckKnown(*probe, "record");
  EXPECT_THAT(status, HasReason("REASON_FIELD_INVALID"));
  EXPECT_EQ(DetailOf(status).violations.at(0).field, "record.child.children[1].#999");
}

// Of another wire type than the contract's, a field is parsed as an unknown one.
TEST(CheckKnown, RefusesAFieldOfAnotherType) {
  Widget widget;
  ASSERT_TRUE(ParseBounded(std::string("\x18\x05", 2), widget));  // the text `title` as a number
  EXPECT_EQ(DetailOf(CheckKnown(widget)).violations.at(0).field, "#3");
}

TEST(Rules, StopAfterAHundredViolations) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "children { id: 'x' day: 'y' } ";
  EXPECT_THAT(Wrong(text), SizeIs(100));
}

struct FormatCase {
  const char* field;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

TEST(Rules, KnowTheFormats) {
  const std::string long_name = "a/" + std::string(198, 'b');
  const FormatCase cases[] = {
      {"id",
       {"018f3c1e-0000-7000-8000-00000000000a"},
       {"018F3C1E-0000-7000-8000-00000000000A", "018f3c1e00007000800000000000000a", "x"}},
      {"day", {"2024-02-29"}, {"2023-02-29", "2024-2-9", "20240229", "2024-02-29 "}},
      {"area", {"42", "4212", "421221", "421221106", "421221106200"}, {"421", "4212211", "42122a"}},
      {"name",
       {"counties/421221", "counties/421221/educationEvents/018f3c1e-0000-7000-8000-00000000000a",
        "counties/421221/runs/latest", "services/scoring", "a_b", long_name},
       {"/a", "a/", "a//b", "a b", "counties/嘉鱼", "Counties/421221", "a/-b", "a/../b", "a?b",
        long_name + "b"}},
      {"decimal", {"98.17", "0", "-3", "0.0001"}, {"1.00001", ".5", "1.", "1e3", "+1", "九"}},
      {"area_name",
       {"areas/421221", "areas/421221106200"},
       {"areas/", "421221", "areas/42122", "area/421221", "areas/421221/"}},
  };
  for (const FormatCase& c : cases) {
    const std::string field = c.field;
    for (const std::string& text : c.good) {
      EXPECT_THAT(Wrong(field + ": '" + text + "'"), IsEmpty()) << field << " " << text;
    }
    for (const std::string& text : c.bad) {
      EXPECT_THAT(Wrong(field + ": '" + text + "'"), SizeIs(1)) << field << " " << text;
    }
  }
}

TEST(Rules, AskNoFormatOfAnEmptyText) { EXPECT_THAT(Wrong("id: '' day: ''"), IsEmpty()); }

TEST(CheckRules, FailsWithTheFirstFieldAndAllViolations) {
  Widget widget = Good();
  widget.set_title("");
  widget.set_weight(-1);
  const absl::Status status = CheckRules(widget);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  const ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(detail.reason, "REASON_FIELD_INVALID");
  EXPECT_EQ(detail.metadata.at("field"), "title");
  EXPECT_EQ(detail.metadata.at("problem"), "不能为空");
  EXPECT_THAT(detail.violations, SizeIs(2));
}

TEST(CheckRules, PutsThePrefixBeforeEveryPath) {
  Widget widget = Good();
  widget.set_title("");
  widget.add_people()->set_name("\xFF");
  const ErrorDetail detail = DetailOf(CheckRules(widget, "record"));
  ASSERT_THAT(detail.violations, SizeIs(2));
  EXPECT_EQ(detail.violations[0].field, "record.title");
  EXPECT_EQ(detail.violations[1].field, "record.people[0].name");
}

// A name or number of somebody must not reach the log.
TEST(CheckRules, NeverRepeatsTheContent) {
  Widget widget = Good();
  widget.set_id_number("42122119800101123456");
  const absl::Status status = CheckRules(widget);
  EXPECT_THAT(status.ToString(), ::testing::Not(::testing::HasSubstr("4212211980")));
}

}  // namespace
}  // namespace fadu
