#include "common/schema/record_type.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/testing/status_matchers.h"
#include "fadu/fixture/v1/fixture.pb.h"

namespace fadu {
namespace {

using fadu::fixture::v1::Colour_descriptor;
using fadu::fixture::v1::Widget;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const RecordType& Widgets() {
  static const RecordType* const type = RecordType::FromDescriptor(Widget::descriptor())->release();
  return *type;
}

const RecordField& FieldOf(const char* name) { return *Widgets().FindField(name); }

Widget Chair() {
  Widget widget;
  widget.set_area_code("421221106200");
  widget.set_made_date("2024-03-15");
  widget.set_title("木椅");
  widget.set_colour(fadu::fixture::v1::COLOUR_RED);
  widget.add_stripes(fadu::fixture::v1::COLOUR_BLUE);
  widget.add_stripes(fadu::fixture::v1::COLOUR_RED);
  widget.set_weight(7);
  widget.set_broken(true);
  widget.set_price_e4(15000);
  auto* person = widget.add_people();
  person->set_name("张三丰");
  person->set_phone("13812345678");
  widget.set_id_number("422121198001011234");
  widget.set_note("set by the law");
  widget.set_remark("for readers");
  return widget;
}

std::string Masked(void (*set)(Widget&, const std::string&), const std::string& text,
                   std::string (*get)(const Widget&)) {
  Widget widget;
  set(widget, text);
  Widgets().MaskSealed(widget);
  return get(widget);
}

std::string MaskedName(const std::string& text) {
  return Masked([](Widget& w, const std::string& t) { w.add_people()->set_name(t); }, text,
                [](const Widget& w) { return w.people(0).name(); });
}

std::string MaskedPhone(const std::string& text) {
  return Masked([](Widget& w, const std::string& t) { w.add_people()->set_phone(t); }, text,
                [](const Widget& w) { return w.people(0).phone(); });
}

std::string MaskedIdNumber(const std::string& text) {
  return Masked([](Widget& w, const std::string& t) { w.set_id_number(t); }, text,
                [](const Widget& w) { return w.id_number(); });
}

// ---- what a descriptor may be ------------------------------------------------------------------

// A record type that breaks no rule; tests break one.
constexpr char kGadgetFile[] = R"txt(
  name: "gadget.proto" package: "fadu.gadget.v1" syntax: "proto3"
  dependency: "fadu/common/v1/options.proto"
  message_type {
    name: "Gadget"
    options {
      [fadu.common.v1.record] { collection: "gadgets" singular: "gadget" zh: "器件" counting_date: "made_date" confirmed_by: LEVEL_TOWN
        deadlines { name: "mend" from: "found_date" days: 5 open: "title:*" } }
    }
    field { name: "area_code" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { required: true format: FORMAT_AREA_CODE } } }
    field { name: "made_date" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.rules] { required: true format: FORMAT_DATE } } }
    field { name: "title" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.field] { filter: true } } }
    field { name: "secret" number: 4 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.field] { field_class: FIELD_CLASS_PERSONAL } } }
    field { name: "open" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".fadu.gadget.v1.Part" }
    field { name: "closed" number: 6 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".fadu.gadget.v1.Piece" options { [fadu.common.v1.field] { field_class: FIELD_CLASS_SENSITIVE } } }
    field { name: "many" number: 7 label: LABEL_OPTIONAL type: TYPE_UINT64 options { [fadu.common.v1.field] { filter: true } } }
    field { name: "found_date" number: 8 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.field] { filter: true } [fadu.common.v1.rules] { format: FORMAT_DATE max_len: 10 } } }
  }
  message_type {
    name: "Part"
    field { name: "inner" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.field] { zh: "内" } } }
    field { name: "again" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".fadu.gadget.v1.Part" }
  }
  message_type {
    name: "Piece"
    field { name: "inner" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [fadu.common.v1.field] { en: "in" } } }
  }
)txt";

// The type of the gadget with `from` written as `to`, and another so.
absl::StatusOr<std::unique_ptr<RecordType>> Gadget(const std::string& from = "",
                                                   const std::string& to = "",
                                                   const std::string& from_too = "",
                                                   const std::string& to_too = "") {
  std::string text = kGadgetFile;
  if (!from.empty()) {
    EXPECT_THAT(text, HasSubstr(from));
    text = absl::StrReplaceAll(text, {{from, to}});
  }
  if (!from_too.empty()) text = absl::StrReplaceAll(text, {{from_too, to_too}});
  google::protobuf::FileDescriptorProto proto;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  // Descriptors live as long as the process, as record types do; reachable, or they are a leak.
  static auto* const pools = new std::vector<std::unique_ptr<google::protobuf::DescriptorPool>>;
  pools->push_back(std::make_unique<google::protobuf::DescriptorPool>(
      google::protobuf::DescriptorPool::generated_pool()));
  const auto* file = pools->back()->BuildFile(proto);
  EXPECT_NE(file, nullptr) << text;
  return RecordType::FromDescriptor(file->FindMessageTypeByName("Gadget"));
}

TEST(RecordTypeDescriptor, IsAcceptedWhenItBreaksNoRule) { EXPECT_THAT(Gadget(), IsOk()); }

TEST(RecordTypeDescriptor, NeedsTheRecordOption) {
  EXPECT_THAT(RecordType::FromDescriptor(fadu::fixture::v1::Person::descriptor()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RecordTypeDescriptor, NeedsCollectionTableLabelAndConfirmingLevel) {
  for (const char* missing : {"collection: \"gadgets\"", "singular: \"gadget\"", "zh: \"器件\"",
                              "confirmed_by: LEVEL_TOWN"}) {
    EXPECT_THAT(Gadget(missing), StatusIs(absl::StatusCode::kInvalidArgument)) << missing;
  }
}

TEST(RecordTypeDescriptor, NeedsARequiredAreaCodeOfItsFormat) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"name: \"area_code\"", "name: \"area\""},
           {"required: true format: FORMAT_AREA_CODE", "format: FORMAT_AREA_CODE"},
           {"format: FORMAT_AREA_CODE", ""},
           {"area_code\" number: 1 label: LABEL_OPTIONAL",
            "area_code\" number: 1 label: LABEL_REPEATED"},
           {"area_code\" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING",
            "area_code\" number: 1 label: LABEL_OPTIONAL type: TYPE_BYTES"}}) {
    EXPECT_THAT(Gadget(from, to), StatusIs(absl::StatusCode::kInvalidArgument)) << from;
  }
}

// Sealed, it could not be read where records are routed.
TEST(RecordTypeDescriptor, NeedsAreaAndCountingDateInTheClear) {
  for (const char* format : {"FORMAT_AREA_CODE", "FORMAT_DATE"}) {
    EXPECT_THAT(
        Gadget(absl::StrCat("format: ", format, " }"),
               absl::StrCat("format: ", format,
                            " } [fadu.common.v1.field] { field_class: FIELD_CLASS_PERSONAL }")),
        StatusIs(absl::StatusCode::kInvalidArgument))
        << format;
  }
}

TEST(RecordTypeDescriptor, NeedsARequiredDateToCountOn) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"counting_date: \"made_date\"", "counting_date: \"lost_date\""},
           {"counting_date: \"made_date\"", "counting_date: \"title\""},
           {"counting_date: \"made_date\"", ""},
           {"required: true format: FORMAT_DATE", "format: FORMAT_DATE"},
           {"made_date\" number: 2 label: LABEL_OPTIONAL",
            "made_date\" number: 2 label: LABEL_REPEATED"}}) {
    EXPECT_THAT(Gadget(from, to), StatusIs(absl::StatusCode::kInvalidArgument)) << to;
  }
}

TEST(RecordTypeDescriptor, HasNoNestedClassAboveInternal) {
  EXPECT_THAT(Gadget("zh: \"内\"", "field_class: FIELD_CLASS_INTERNAL"), IsOk());
  EXPECT_THAT(Gadget("zh: \"内\"", "field_class: FIELD_CLASS_PERSONAL"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Gadget("en: \"in\"", "field_class: FIELD_CLASS_SENSITIVE"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RecordTypeDescriptor, HasNoSealedMeasureOrFilter) {
  for (const char* use : {"measure: true", "filter: true"}) {
    EXPECT_THAT(Gadget("FIELD_CLASS_PERSONAL", absl::StrCat("FIELD_CLASS_PERSONAL ", use)),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << use;
  }
}

TEST(RecordTypeDescriptor, HasNoIndexWithoutAFilter) {
  EXPECT_THAT(Gadget("{ filter: true } } }\n    field { name: \"secret\"",
                     "{ index: true } } }\n    field { name: \"secret\""),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RecordTypeDescriptor, HasNoFilterOverAMessage) {
  EXPECT_THAT(Gadget("type_name: \".fadu.gadget.v1.Part\" }\n    field { name: \"closed\"",
                     "type_name: \".fadu.gadget.v1.Part\" options { [fadu.common.v1.field] { "
                     "filter: true } } }\n    field { name: \"closed\""),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RecordTypeDescriptor, HasBlindIndexesOnlyOfSealedStrings) {
  EXPECT_THAT(Gadget("en: \"in\"", "blind_index: true"), IsOk());
  EXPECT_THAT(Gadget("FIELD_CLASS_PERSONAL", "FIELD_CLASS_PERSONAL blind_index: true"), IsOk());
  EXPECT_THAT(Gadget("FIELD_CLASS_PERSONAL", "FIELD_CLASS_INTERNAL blind_index: true"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// ---- what a type knows -------------------------------------------------------------------------

TEST(RecordTypeDescriptor, HasDeadlinesThatStartOnADateAndEndByAFilter) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"name: \"mend\"", "name: \"Mend it\""},
           {"from: \"found_date\"", "from: \"title\""},
           {"from: \"found_date\"", "from: \"made_date\""},  // not filterable
           {"days: 5", "days: -1"},
           {"open: \"title:*\"", "open: \"colour = RED\""},
           {"open: \"title:*\"", ""},
           {"days: 5 open: \"title:*\" }",
            "open: \"title:*\" } deadlines { name: \"mend\" "
            "from: \"found_date\" open: \"title:*\" }"}}) {
    EXPECT_THAT(Gadget(from, to), StatusIs(absl::StatusCode::kInvalidArgument)) << to;
  }
}

TEST(RecordTypeDescriptor, HasAnOrganisationThatIsAFilterableUuidInTheClear) {
  const std::string owner = "confirmed_by: LEVEL_TOWN\n organisation: \"owner_id\"";
  const auto with = [&](const std::string& options) {
    const std::string field = absl::StrCat(
        "field { name: \"owner_id\" number: 20 label: LABEL_OPTIONAL type: "
        "TYPE_STRING options { ",
        options, " } } field { name: \"title\"");
    return Gadget("confirmed_by: LEVEL_TOWN", owner, "field { name: \"title\"", field);
  };
  constexpr char kUuid[] = "[fadu.common.v1.rules] { format: FORMAT_UUID } ";
  EXPECT_THAT(with(absl::StrCat(kUuid, "[fadu.common.v1.field] { filter: true }")), IsOk());
  EXPECT_THAT(with("[fadu.common.v1.field] { filter: true }"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(with(kUuid), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Gadget("confirmed_by: LEVEL_TOWN", owner),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RecordType, OfNobodysRecordsHasNoOrganisation) {
  EXPECT_EQ(Widgets().OrganisationOf(Chair()), "");
  Widget chair = Chair();
  chair.set_organisation_id("018f0000-0000-7000-8000-00000000000a");
  EXPECT_EQ(Widgets().OrganisationOf(chair), "018f0000-0000-7000-8000-00000000000a");
}

TEST(RecordType, KnowsItsNames) {
  EXPECT_EQ(Widgets().full_name(), "fadu.fixture.v1.Widget");
  EXPECT_EQ(Widgets().collection(), "widgets");
  EXPECT_EQ(Widgets().table(), "widget");
}

TEST(RecordType, KnowsTheKindOfEveryField) {
  EXPECT_EQ(FieldOf("title").kind, ValueKind::kText);
  EXPECT_EQ(FieldOf("colour").kind, ValueKind::kCode);
  EXPECT_EQ(FieldOf("stripes").kind, ValueKind::kCode);
  EXPECT_EQ(FieldOf("weight").kind, ValueKind::kInt);
  EXPECT_EQ(FieldOf("broken").kind, ValueKind::kBool);
  EXPECT_EQ(FieldOf("made_date").kind, ValueKind::kDate);
  EXPECT_EQ(FieldOf("price_e4").kind, ValueKind::kPoints);
  EXPECT_FALSE(FieldOf("people").comparable);
}

TEST(RecordType, ComparesUnsignedNumbersAsNumbers) {
  const auto gadget = Gadget();
  ASSERT_THAT(gadget, IsOk());
  EXPECT_TRUE((*gadget)->FindField("many")->comparable);
  EXPECT_EQ((*gadget)->FindField("many")->kind, ValueKind::kInt);
}

TEST(RecordType, SealsPersonalAndSensitiveFieldsOnly) {
  std::vector<std::string> sealed;
  for (const RecordField& field : Widgets().fields()) {
    if (field.sealed) sealed.push_back(field.name());
  }
  EXPECT_THAT(sealed, ElementsAre("people", "id_number"));
}

TEST(RecordType, NamesColumnsAfterFields) { EXPECT_EQ(FieldOf("price_e4").column, "price_e4"); }

TEST(RecordType, NamesBlindIndexesAfterTheirPath) {
  ASSERT_THAT(Widgets().blind_indexes(), SizeIs(1));
  const BlindIndexField& blind = Widgets().blind_indexes()[0];
  EXPECT_EQ(blind.filter_name, "people.phone");
  EXPECT_EQ(blind.column, "people_phone_blind");
  EXPECT_THAT(blind.path, SizeIs(2));
}

TEST(RecordType, FindsNoFieldThatIsNotThere) {
  EXPECT_EQ(Widgets().FindField("people.phone"), nullptr);
  EXPECT_EQ(Widgets().FindField(""), nullptr);
}

TEST(RecordType, MakesAnEmptyMessage) {
  const auto message = Widgets().New();
  EXPECT_EQ(message->GetDescriptor(), Widget::descriptor());
  EXPECT_EQ(message->ByteSizeLong(), 0U);
}

TEST(RecordType, ReadsAreaAndCountingDate) {
  EXPECT_EQ(Widgets().AreaOf(Chair()), "421221106200");
  EXPECT_EQ(Widgets().CountingDateOf(Chair()), "2024-03-15");
}

// ---- values ------------------------------------------------------------------------------------

TEST(ValuesOf, GivesOneValueOfASingularField) {
  const Widget chair = Chair();
  EXPECT_THAT(Widgets().ValuesOf(chair, FieldOf("title")),
              ElementsAre(Value{ValueKind::kText, "木椅", 0}));
  EXPECT_THAT(Widgets().ValuesOf(chair, FieldOf("colour")),
              ElementsAre(Value{ValueKind::kCode, "RED", 0}));
  EXPECT_THAT(Widgets().ValuesOf(chair, FieldOf("made_date")),
              ElementsAre(Value{ValueKind::kDate, "2024-03-15", 0}));
  EXPECT_THAT(Widgets().ValuesOf(chair, FieldOf("weight")),
              ElementsAre(Value{ValueKind::kInt, "", 7}));
  EXPECT_THAT(Widgets().ValuesOf(chair, FieldOf("broken")),
              ElementsAre(Value{ValueKind::kBool, "", 1}));
  EXPECT_THAT(Widgets().ValuesOf(chair, FieldOf("price_e4")),
              ElementsAre(Value{ValueKind::kPoints, "", 15000}));
}

TEST(ValuesOf, GivesTheItemsOfARepeatedFieldInOrder) {
  EXPECT_THAT(Widgets().ValuesOf(Chair(), FieldOf("stripes")),
              ElementsAre(Value{ValueKind::kCode, "BLUE", 0}, Value{ValueKind::kCode, "RED", 0}));
}

TEST(ValuesOf, GivesNoneOfAnEmptyTextDateOrCode) {
  const Widget empty;
  for (const char* name : {"title", "sold_date", "colour", "stripes"}) {
    EXPECT_THAT(Widgets().ValuesOf(empty, FieldOf(name)), IsEmpty()) << name;
  }
}

// No weight said is the weight 0: numbers and booleans are never absent.
TEST(ValuesOf, GivesZeroOfANumberThatWasNotSet) {
  const Widget empty;
  EXPECT_THAT(Widgets().ValuesOf(empty, FieldOf("weight")),
              ElementsAre(Value{ValueKind::kInt, "", 0}));
  EXPECT_THAT(Widgets().ValuesOf(empty, FieldOf("broken")),
              ElementsAre(Value{ValueKind::kBool, "", 0}));
}

TEST(ValuesOf, GivesNoneOfACodeOfANewerContract) {
  Widget widget;
  widget.set_colour(static_cast<fadu::fixture::v1::Colour>(99));
  EXPECT_THAT(Widgets().ValuesOf(widget, FieldOf("colour")), IsEmpty());
}

// ---- sealing -----------------------------------------------------------------------------------

TEST(TakeSealed, LeavesNothingPersonalBehind) {
  Widget chair = Chair();
  const auto sealed = Widgets().TakeSealed(chair);
  EXPECT_EQ(chair.people_size(), 0);
  EXPECT_EQ(chair.id_number(), "");
  EXPECT_THAT(chair.SerializeAsString(), ::testing::Not(HasSubstr("张三丰")));
  EXPECT_EQ(chair.title(), "木椅");
}

TEST(TakeSealed, TakesOnlySealedFields) {
  Widget chair = Chair();
  const auto sealed = Widgets().TakeSealed(chair);
  Widget expected;
  *expected.mutable_people() = Chair().people();
  expected.set_id_number(Chair().id_number());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*sealed, expected));
}

TEST(MergeSealed, PutsBackWhatWasTaken) {
  Widget chair = Chair();
  const auto sealed = Widgets().TakeSealed(chair);
  Widgets().MergeSealed(*sealed, chair);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(chair, Chair()));
}

// Masked people and clear people must not stand side by side.
TEST(MergeSealed, ReplacesWhatIsThere) {
  Widget chair = Chair();
  Widget copy = Chair();
  const auto sealed = Widgets().TakeSealed(copy);
  Widgets().MergeSealed(*sealed, chair);
  EXPECT_EQ(chair.people_size(), 1);
}

TEST(MaskSealed, KeepsTheFirstCharacterOfAName) {
  EXPECT_EQ(MaskedName("张三"), "张*");
  EXPECT_EQ(MaskedName("张三丰"), "张**");
  EXPECT_EQ(MaskedName("欧阳娜娜"), "欧***");
  EXPECT_EQ(MaskedName("𠮷野"), "𠮷*");
  EXPECT_EQ(MaskedName("Li"), "L*");
}

TEST(MaskSealed, HidesANameOfOneCharacter) { EXPECT_EQ(MaskedName("张"), "***"); }

TEST(MaskSealed, KeepsThreeAndFourOfAPhone) {
  EXPECT_EQ(MaskedPhone("13812345678"), "138****5678");
  EXPECT_EQ(MaskedPhone("0715-6322345"), "071*****2345");
}

TEST(MaskSealed, HidesAPhoneThatWouldStandThereWhole) {
  EXPECT_EQ(MaskedPhone("12345678"), "123*5678");
  EXPECT_EQ(MaskedPhone("6322345"), "***");
  EXPECT_EQ(MaskedPhone("110"), "***");
}

TEST(MaskSealed, KeepsThreeAndFourOfAnIdNumber) {
  EXPECT_EQ(MaskedIdNumber("422121198001011234"), "422***********1234");
  EXPECT_EQ(MaskedIdNumber("42212119800101123X"), "422***********123X");
}

TEST(MaskSealed, LeavesWhatIsEmptyEmpty) {
  EXPECT_EQ(MaskedIdNumber(""), "");
  EXPECT_EQ(MaskedName(""), "");
}

// Continuation bytes without a start must not count as part of the character before.
TEST(MaskSealed, ShowsNoMoreOfTextThatIsNotUtf8) {
  EXPECT_EQ(MaskedName("a\x80\x81\x82\x83\x84\x85"), "a\x80\x81\x82*");
  EXPECT_EQ(MaskedName("\x80\x81\x82\x83\x84"), "\x80\x81\x82\x83*");
}

TEST(MaskSealed, LeavesUnsealedFields) {
  Widget chair = Chair();
  Widgets().MaskSealed(chair);
  EXPECT_EQ(chair.title(), "木椅");
  EXPECT_EQ(chair.remark(), "for readers");
  EXPECT_EQ(chair.weight(), 7);
}

// What a newer contract put beside the name may be as personal as the name.
TEST(MaskSealed, DropsUnknownFieldsBesideSealedOnes) {
  Widget chair = Chair();
  auto* person = chair.mutable_people(0);
  person->GetReflection()->MutableUnknownFields(person)->AddLengthDelimited(99, "李四");
  Widgets().MaskSealed(chair);
  EXPECT_THAT(chair.SerializeAsString(), ::testing::Not(HasSubstr("李四")));
}

TEST(ClearOutputOnly, ClearsOnlyWhatFaduSets) {
  Widget chair = Chair();
  Widgets().ClearOutputOnly(chair);
  Widget expected = Chair();
  expected.clear_note();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(chair, expected));
}

// ---- facts -------------------------------------------------------------------------------------

TEST(FactOf, HoldsMeasuresOnly) {
  Widget fact;
  ASSERT_TRUE(fact.ParseFromString(Widgets().FactOf(Chair())));
  Widget expected = Chair();
  for (const char* name : {"title", "people", "id_number", "note", "remark"}) {
    expected.GetReflection()->ClearField(&expected, Widget::descriptor()->FindFieldByName(name));
  }
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(fact, expected))
      << fact.DebugString();
}

TEST(FactOf, HoldsNoUnknownFields) {
  Widget chair = Chair();
  chair.GetReflection()->MutableUnknownFields(&chair)->AddLengthDelimited(99, "李四");
  EXPECT_EQ(Widgets().FactOf(chair), Widgets().FactOf(Chair()));
}

TEST(FactOf, HoldsAllThatIsUnsealedWhenTheTypeSaysSo) {
  google::protobuf::FileDescriptorProto proto;
  Widget::descriptor()->file()->CopyTo(&proto);
  proto.set_name("whole_fact.proto");
  proto.set_package("fadu.whole.v1");
  // The types of the fields move with the package.
  for (auto& message : *proto.mutable_message_type()) {
    for (auto& field : *message.mutable_field()) {
      field.set_type_name(
          absl::StrReplaceAll(field.type_name(), {{".fadu.fixture.", ".fadu.whole."}}));
      if (field.type_name().empty()) field.clear_type_name();
    }
    if (message.name() == "Widget") {
      message.mutable_options()->MutableExtension(fadu::common::v1::record)->set_whole_fact(true);
    }
  }
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  const auto* file = pool.BuildFile(proto);
  ASSERT_NE(file, nullptr);
  const auto type = RecordType::FromDescriptor(file->FindMessageTypeByName("Widget"));
  ASSERT_THAT(type, IsOk());
  google::protobuf::DynamicMessageFactory factory(&pool);
  const std::unique_ptr<google::protobuf::Message> message(
      factory.GetPrototype((*type)->descriptor())->New());
  ASSERT_TRUE(message->ParseFromString(Chair().SerializeAsString()));

  Widget fact;
  ASSERT_TRUE(fact.ParseFromString((*type)->FactOf(*message)));
  Widget expected = Chair();
  expected.clear_people();
  expected.clear_id_number();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(fact, expected))
      << fact.DebugString();
}

// ---- blind indexes -----------------------------------------------------------------------------

TEST(BlindValuesOf, GivesTheClearValuesThatAreThere) {
  Widget chair = Chair();
  chair.add_people()->set_name("no phone");
  chair.add_people()->set_phone("110");
  const auto sealed = Widgets().TakeSealed(chair);
  EXPECT_THAT(Widgets().BlindValuesOf(*sealed, Widgets().blind_indexes()[0]),
              ElementsAre("13812345678", "110"));
}

TEST(BlindValuesOf, GivesNoneOfAnEmptyMessage) {
  EXPECT_THAT(Widgets().BlindValuesOf(Widget(), Widgets().blind_indexes()[0]), IsEmpty());
}

// ---- many types --------------------------------------------------------------------------------

TEST(RecordTypes, AreFoundByNameAndByCollection) {
  const auto types = RecordTypes::FromPackages({"fadu.fixture.v1", "fadu.absent.v1"});
  ASSERT_THAT(types, IsOk());
  ASSERT_THAT((*types)->all(), SizeIs(1));
  const RecordType* widgets = (*types)->all()[0].get();
  EXPECT_EQ((*types)->FindByName("fadu.fixture.v1.Widget"), widgets);
  EXPECT_EQ((*types)->FindByCollection("widgets"), widgets);
}

TEST(RecordTypes, DoNotFindWhatIsNotThere) {
  const auto types = RecordTypes::FromPackages({"fadu.fixture.v1"});
  ASSERT_THAT(types, IsOk());
  EXPECT_EQ((*types)->FindByName("fadu.fixture.v1.Person"), nullptr);
  EXPECT_EQ((*types)->FindByCollection("widget"), nullptr);
}

TEST(RecordTypes, RefuseOneCollectionTwice) {
  EXPECT_THAT(RecordTypes::FromDescriptors({Widget::descriptor(), Widget::descriptor()}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RecordTypes, RefuseATypeThatBreaksTheRules) {
  EXPECT_THAT(RecordTypes::FromDescriptors({fadu::fixture::v1::Person::descriptor()}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// ---- codes -------------------------------------------------------------------------------------

TEST(EnumCode, IsTheNameWithoutItsTypesPrefix) {
  EXPECT_EQ(EnumCode(Colour_descriptor()->FindValueByNumber(1)), "RED");
  EXPECT_EQ(EnumCode(fadu::common::v1::FieldClass_descriptor()->FindValueByNumber(3)), "PERSONAL");
}

TEST(EnumCode, IsFoundByCodeAndByFullName) {
  EXPECT_EQ(FindEnumCode(Colour_descriptor(), "BLUE")->number(), 2);
  EXPECT_EQ(FindEnumCode(Colour_descriptor(), "COLOUR_BLUE")->number(), 2);
}

TEST(EnumCode, IsNotFoundInAnyOtherForm) {
  for (const char* text : {"", "blue", "蓝", "COLOUR_", "GREEN", "2"}) {
    EXPECT_EQ(FindEnumCode(Colour_descriptor(), text), nullptr) << text;
  }
}

}  // namespace
}  // namespace fadu
