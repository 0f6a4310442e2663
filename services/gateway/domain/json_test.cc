#include "services/gateway/domain/json.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/fixture/v1/fixture.pb.h"
#include "fadu/gateway/v1/reason.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"

namespace fadu::gateway {
namespace {

namespace common = ::fadu::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ::testing::HasSubstr;

constexpr char kDispute[] = "\"@type\":\"type.googleapis.com/fadu.mediation.v1.Dispute\"";

// "REASON_FIELD_INVALID record.title 重复出现", or "" when it reads.
std::string Said(absl::string_view json) {
  common::CreateRecordRequest request;
  const absl::Status status = JsonToMessage(json, request);
  if (status.ok()) return "";
  const ErrorDetail detail = DetailOf(status);
  std::string said = detail.reason;
  for (const FieldViolation& violation : detail.violations) {
    absl::StrAppend(&said, " ", violation.field, " ", violation.description);
  }
  for (const char* key : {"position", "problem"}) {
    const auto value = detail.metadata.find(key);
    if (detail.violations.empty() && value != detail.metadata.end()) {
      absl::StrAppend(&said, " ", value->second);
    }
  }
  return said;
}

TEST(JsonToMessage, ReadsWhatProtobufWrites) {
  mediation::v1::Dispute dispute;
  dispute.set_area_code("421221106200");
  dispute.set_title("邻里 \"<b>\" \x01 😀");
  dispute.set_category(mediation::v1::DISPUTE_CATEGORY_FAMILY);
  dispute.set_amount_e4(9007199254740993);  // 2^53 + 1: no double holds it
  dispute.set_remedy_notice(true);
  dispute.add_parties()->set_name("示例甲");
  dispute.add_parties()->set_name("示例乙");
  common::Record record;
  record.set_revision(-3);
  record.mutable_record()->PackFrom(dispute);
  record.mutable_create_time()->set_seconds(1717214400);
  record.mutable_create_time()->set_nanos(5000);
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(record, &json).ok());
  common::Record read;
  ASSERT_TRUE(JsonToMessage(json, read).ok()) << json;
  EXPECT_EQ(read.SerializeAsString(), record.SerializeAsString());
}

TEST(JsonToMessage, TakesNamesOfTheProtoAndCodesOfEnums) {
  mediation::v1::Dispute dispute;
  ASSERT_TRUE(JsonToMessage("{\"area_code\":\"1\",\"foundDate\":\"2\",\"category\":\"FAMILY\","
                            "\"outcome\":1,\"people_count\":\"7\",\"amount_e4\":1.5e3}",
                            dispute)
                  .ok());
  EXPECT_EQ(dispute.area_code(), "1");
  EXPECT_EQ(dispute.found_date(), "2");
  EXPECT_EQ(dispute.category(), mediation::v1::DISPUTE_CATEGORY_FAMILY);
  EXPECT_EQ(dispute.outcome(), mediation::v1::OUTCOME_SETTLED);
  EXPECT_EQ(dispute.people_count(), 7);
  EXPECT_EQ(dispute.amount_e4(), 1500);
}

TEST(JsonToMessage, AnUnknownFieldIsNamedByItsPath) {
  EXPECT_EQ(Said("{\"parnet\":\"x\"}"), "REASON_FIELD_INVALID parnet 没有这个字段");
  EXPECT_EQ(Said(absl::StrCat("{\"record\":{", kDispute,
                              ",\"parties\":[{\"name\":\"a\"},{\"nam\":\"b\"}]}}")),
            "REASON_FIELD_INVALID record.parties[1].nam 没有这个字段");
}

// Two readers of one body must not see two values of one key.
TEST(JsonToMessage, AFieldThatStandsTwiceIsRefused) {
  EXPECT_EQ(Said("{\"parent\":\"a\",\"parent\":\"b\"}"), "REASON_FIELD_INVALID parent 重复出现");
  EXPECT_EQ(Said("{\"requestId\":\"a\",\"request_id\":\"b\"}"),
            "REASON_FIELD_INVALID request_id 重复出现");
  EXPECT_EQ(Said("{\"p\\u0061rent\":\"a\",\"parent\":null}"),
            "REASON_FIELD_INVALID parent 重复出现");
  EXPECT_EQ(Said(absl::StrCat("{\"record\":{", kDispute, ",", kDispute, "}}")),
            "REASON_FIELD_INVALID record.@type 重复出现");
  EXPECT_EQ(Said(absl::StrCat("{\"record\":{", kDispute, ",\"title\":\"a\",\"title\":\"a\"}}")),
            "REASON_FIELD_INVALID record.title 重复出现");
}

TEST(JsonToMessage, AValueOfAnotherTypeIsNamedByItsPath) {
  EXPECT_EQ(Said("{\"submit\":1}"), "REASON_FIELD_INVALID submit “1”应为 true 或 false");
  EXPECT_EQ(Said("{\"submit\":\"true\"}"), "REASON_FIELD_INVALID submit “true”应为 true 或 false");
  EXPECT_EQ(Said("{\"parent\":1}"), "REASON_FIELD_INVALID parent 应为字符串");
  EXPECT_EQ(Said("{\"parent\":{}}"), "REASON_FIELD_INVALID parent 值的类型不符");
  EXPECT_EQ(Said("{\"parent\":[]}"), "REASON_FIELD_INVALID parent 值的类型不符");
  EXPECT_EQ(Said("{\"record\":[]}"), "REASON_FIELD_INVALID record 应为对象");
  const auto dispute = [](absl::string_view field) {
    return Said(absl::StrCat("{\"record\":{", kDispute, ",", field, "}}"));
  };
  EXPECT_EQ(dispute("\"category\":\"X\""), "REASON_FIELD_INVALID record.category “X”不是可选的值");
  EXPECT_EQ(dispute("\"category\":99"), "REASON_FIELD_INVALID record.category “99”不是可选的值");
  for (const char* number : {"\"abc\"", "2147483648", "1.5", "1e99", "\"\"", "\" 1\"", "true"}) {
    EXPECT_THAT(dispute(absl::StrCat("\"peopleCount\":", number)),
                HasSubstr("REASON_FIELD_INVALID record.people_count"))
        << number;
  }
  EXPECT_THAT(dispute("\"amountE4\":9223372036854775808"), HasSubstr("record.amount_e4"));
  EXPECT_EQ(dispute("\"parties\":{}"), "REASON_FIELD_INVALID record.parties 应为数组");
  EXPECT_EQ(dispute("\"parties\":[null]"), "REASON_FIELD_INVALID record.parties[0] 应为对象");
}

TEST(JsonToMessage, AnAnySaysARecordTypeThatThereIs) {
  EXPECT_EQ(Said("{\"record\":{\"title\":\"x\"}}"), "REASON_FIELD_INVALID record.@type 不能为空");
  EXPECT_EQ(Said("{\"record\":{\"@type\":\"type.googleapis.com/no.Such\"}}"),
            "REASON_FIELD_INVALID record.@type 没有类型 type.googleapis.com/no.Such");
  EXPECT_EQ(Said("{\"record\":{\"@type\":\"Dispute\"}}"),
            "REASON_FIELD_INVALID record.@type 没有类型 Dispute");
  EXPECT_EQ(Said("{\"record\":{\"@type\":7}}"), "REASON_FIELD_INVALID record.@type 应为字符串");
  // The last key of the object may say it too.
  EXPECT_EQ(Said(absl::StrCat("{\"record\":{\"title\":\"}\\\"\",", kDispute, "}}")), "");
}

TEST(JsonToMessage, WhereAnAnySaysNoTypeThePathDoes) {
  common::CreateRecordRequest request;
  ASSERT_TRUE(JsonToMessage("{\"title\":\"x\"}", *request.mutable_record(),
                            mediation::v1::Dispute::descriptor(), "record")
                  .ok());
  mediation::v1::Dispute dispute;
  ASSERT_TRUE(request.record().UnpackTo(&dispute));
  EXPECT_EQ(dispute.title(), "x");
  const absl::Status wrong = JsonToMessage("{\"titel\":\"x\"}", *request.mutable_record(),
                                           mediation::v1::Dispute::descriptor(), "record");
  EXPECT_EQ(DetailOf(wrong).violations.at(0).field, "record.titel");
}

TEST(JsonToMessage, WhatIsNotJsonIsRefusedAtItsByte) {
  EXPECT_EQ(Said(""), "REASON_FIELD_INVALID  应为对象");
  EXPECT_EQ(Said("{\"parent\":\"a\"} x"), "REASON_JSON_INVALID 16 值之后还有内容");
  EXPECT_EQ(Said("{\"parent\":\"a\",}"), "REASON_JSON_INVALID 15 应为字符串");
  for (const char* text : {"{",
                           "{\"parent\"",
                           "{\"parent\":",
                           "{\"parent\":\"",
                           "{'parent':1}",
                           "{\"parent\":tru}",
                           "{\"parent\":01}",
                           "{\"parent\":-}",
                           "{\"parent\":1.}",
                           "{\"parent\":1e}",
                           "{\"parent\":NaN}",
                           "{\"parent\":\"\\x\"}",
                           "{\"parent\":\"\\ud800\"}",
                           "{\"parent\":\"\\udc00\"}",
                           "{\"parent\":\"\n\"}",
                           "{\"parent\":\"\xff\"}",
                           "{\"parent\":\"\xed\xa0\x80\"}",
                           "{\"parent\":\"\xc0\xaf\"}",
                           "{parent:1}",
                           "{\"submit\":true \"parent\":1}",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_NE(Said(text), "") << text;
  }
}

TEST(JsonToMessage, NestingEndsAt32) {
  const auto nested = [](int depth) {
    return absl::StrCat("{\"record\":{\"x\":", std::string(static_cast<size_t>(depth), '['),
                        std::string(static_cast<size_t>(depth), ']'), ",", kDispute, "}}");
  };
  // {"record":{"x": are 15 bytes and two levels; the 31st bracket is byte 46 and level 33.
  EXPECT_EQ(Said(nested(31)), "REASON_JSON_INVALID 46 嵌套超过 32 层");
  EXPECT_EQ(Said(nested(30)), "REASON_FIELD_INVALID record.x 没有这个字段");
  EXPECT_THAT(Said(std::string(100000, '[')), HasSubstr("REASON_FIELD_INVALID"));
  EXPECT_THAT(Said(absl::StrCat("{\"record\":", std::string(100000, '{'))), HasSubstr("REASON_"));
}

TEST(MessageToJson, AnswersHoldNoMarkup) {
  mediation::v1::Dispute dispute;
  dispute.set_title("</script><b>&");
  EXPECT_EQ(*MessageToJson(dispute), "{\"title\":\"\\u003c/script\\u003e\\u003cb\\u003e\\u0026\"}");
}

TEST(MessageToJson, AnAnyOfAnUnknownTypeIsOurFault) {
  common::Record record;
  record.mutable_record()->set_type_url("type.googleapis.com/no.Such");
  EXPECT_EQ(MessageToJson(record).status().code(), absl::StatusCode::kInternal);
}

TEST(SetField, ReadsWhatAUrlCanSay) {
  common::UpdateRecordRequest update;
  ASSERT_TRUE(SetField(update, "updateMask", "title,foundDate").ok());
  ASSERT_TRUE(SetField(update, "validateOnly", "true").ok());
  EXPECT_THAT(update.update_mask().paths(), ::testing::ElementsAre("title", "found_date"));
  EXPECT_TRUE(update.validate_only());
  update.Clear();
  ASSERT_TRUE(SetField(update, "update_mask", "title,found_date").ok());
  EXPECT_THAT(update.update_mask().paths(), ::testing::ElementsAre("title", "found_date"));
  common::ListRecordsRequest list;
  ASSERT_TRUE(SetField(list, "review_state", "CONFIRMED").ok());
  ASSERT_TRUE(SetField(list, "pageSize", "20").ok());
  EXPECT_EQ(list.review_state(), common::REVIEW_STATE_CONFIRMED);
  EXPECT_EQ(list.page_size(), 20);
  EXPECT_EQ(ReasonOf(SetField(list, "pageSize", "many")), "REASON_FIELD_INVALID");
  EXPECT_EQ(ReasonOf(SetField(list, "nothing", "1")), "REASON_FIELD_INVALID");
  EXPECT_EQ(ReasonOf(SetField(list, "parent.more", "1")), "REASON_FIELD_INVALID");
  EXPECT_EQ(ReasonOf(SetField(update, "record", "{}")), "REASON_FIELD_INVALID");
}

// ---- Against protobuf's own reader and writer ----

// Equal, whatever the order of fields inside an Any.
bool Same(const Message& a, const Message& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  void Fill(Message& message, int depth) {
    const auto* descriptor = message.GetDescriptor();
    const auto* r = message.GetReflection();
    if (descriptor->full_name() == "google.protobuf.Timestamp" ||
        descriptor->full_name() == "google.protobuf.Duration") {
      r->SetInt64(&message, descriptor->FindFieldByNumber(1), Pick(1000000000));
      r->SetInt32(&message, descriptor->FindFieldByNumber(2), Pick(1000) * 1000);
      return;
    }
    if (descriptor->full_name() == "google.protobuf.FieldMask") {
      r->AddString(&message, descriptor->FindFieldByNumber(1), "found_date");
      return;
    }
    if (descriptor->full_name() == "google.protobuf.Any") {
      fixture::v1::Widget widget;
      Fill(widget, depth + 1);
      static_cast<google::protobuf::Any&>(message).PackFrom(widget);
      return;
    }
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      if (Pick(3) == 0 || field->is_map()) continue;
      if (field->real_containing_oneof() != nullptr &&
          r->HasOneof(message, field->real_containing_oneof())) {
        continue;
      }
      const int times = field->is_repeated() ? Pick(3) : 1;
      for (int n = 0; n < times; ++n) Set(message, *field, depth);
    }
  }

 private:
  int Pick(int below) { return static_cast<int>(Number() % static_cast<uint32_t>(below)); }
  uint32_t Number() { return static_cast<uint32_t>(random_()); }

  std::string Text() {
    static const std::vector<std::string> pieces = {"潘家湾", "a", "\"", "\\", "<", "\n",  "\x7f",
                                                    "😀",      "",  "/",  "é",  "&", "\x01"};
    std::string text;
    for (int i = Pick(4); i > 0; --i) {
      text += pieces[static_cast<size_t>(Pick(static_cast<int>(pieces.size())))];
    }
    return text;
  }

  void Set(Message& message, const FieldDescriptor& field, int depth) {
    const auto* r = message.GetReflection();
    const bool many = field.is_repeated();
    const int64_t number = static_cast<int64_t>(Number()) - (int64_t{1} << 31);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: {
        const auto value = static_cast<int32_t>(number);
        many ? r->AddInt32(&message, &field, value) : r->SetInt32(&message, &field, value);
        break;
      }
      case FieldDescriptor::CPPTYPE_INT64:
        many ? r->AddInt64(&message, &field, number << 20)
             : r->SetInt64(&message, &field, number << 20);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        many ? r->AddUInt32(&message, &field, Number()) : r->SetUInt32(&message, &field, Number());
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        many ? r->AddUInt64(&message, &field, Number()) : r->SetUInt64(&message, &field, Number());
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        many ? r->AddBool(&message, &field, true) : r->SetBool(&message, &field, true);
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* value = field.enum_type()->value(Pick(field.enum_type()->value_count()));
        many ? r->AddEnum(&message, &field, value) : r->SetEnum(&message, &field, value);
        break;
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string value =
            field.type() == FieldDescriptor::TYPE_BYTES ? std::string("\xff\x00\x80", 3) : Text();
        many ? r->AddString(&message, &field, value) : r->SetString(&message, &field, value);
        break;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth < 4) {
          Fill(many ? *r->AddMessage(&message, &field) : *r->MutableMessage(&message, &field),
               depth + 1);
        }
        break;
      default:
        break;
    }
  }

  std::mt19937 random_;
};

// Every message of the contracts that are linked in, twenty times with random content: what we
// write protobuf reads, what protobuf writes we read, and both give the same bytes.
TEST(JsonToMessage, AgreesWithProtobufOnEveryMessage) {
  std::vector<std::string> files;
  google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  int messages = 0;
  for (const std::string& name : files) {
    if (!absl::StartsWith(name, "fadu/")) continue;
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Message* prototype =
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(
              file->message_type(i));
      ++messages;
      for (unsigned seed = 1; seed <= 20; ++seed) {
        const std::unique_ptr<Message> made(prototype->New());
        Maker(seed).Fill(*made, 0);
        const auto ours = MessageToJson(*made);
        ASSERT_TRUE(ours.ok()) << ours.status();
        const std::unique_ptr<Message> theirs(prototype->New());
        const auto parsed = google::protobuf::util::JsonStringToMessage(*ours, theirs.get());
        ASSERT_TRUE(parsed.ok()) << parsed.ToString() << *ours;
        EXPECT_TRUE(Same(*theirs, *made)) << *ours;
        std::string json;
        ASSERT_TRUE(google::protobuf::util::MessageToJsonString(*made, &json).ok());
        const std::unique_ptr<Message> read(prototype->New());
        const absl::Status status = JsonToMessage(json, *read);
        ASSERT_TRUE(status.ok()) << status << json;
        EXPECT_TRUE(Same(*read, *made)) << json;
      }
    }
  }
  EXPECT_GT(messages, 40);
}

// 10,000 mutations of a good body: each is read as protobuf reads it, or refused.
TEST(JsonToMessage, WhatItReadsOfMutatedTextProtobufReadsTheSame) {
  const std::string good = absl::StrCat(
      "{\"parent\":\"counties/421221\",\"submit\":true,\"requestId\":\"a-b\",\"record\":{",
      kDispute,
      ",\"title\":\"\\u6f58\\ud83d\\ude00\",\"peopleCount\":12,\"amountE4\":\"-5\",\"parties\":[{"
      "\"name\":\"a\"},{}],\"category\":\"DISPUTE_CATEGORY_FAMILY\"}}");
  std::mt19937 random(7);
  int read = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string text = good;
    for (size_t n = random() % 3 + 1; n > 0; --n) {
      const size_t at = random() % text.size();
      static constexpr char kChars[] = "{}[]\",:\\0123eE+-.tfnul \n\xff";
      switch (random() % 3) {
        case 0:
          text.erase(at, random() % 4 + 1);
          break;
        case 1:
          text.insert(at, 1, kChars[random() % (sizeof kChars - 1)]);
          break;
        default:
          text[at] = kChars[random() % (sizeof kChars - 1)];
      }
      if (text.empty()) text = " ";
    }
    common::CreateRecordRequest ours;
    if (!JsonToMessage(text, ours).ok()) continue;
    ++read;
    common::CreateRecordRequest theirs;
    const auto parsed = google::protobuf::util::JsonStringToMessage(text, &theirs);
    ASSERT_TRUE(parsed.ok()) << parsed.ToString() << text;
    EXPECT_TRUE(Same(ours, theirs)) << text;
  }
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace fadu::gateway
