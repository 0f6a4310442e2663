#include "services/fadu/scenario.h"

#include <exception>
#include <map>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "common/schema/rules.h"
#include "fadu/common/v1/options.pb.h"
#include "services/assessment/domain/rubric_yaml.h"
#include "services/assessment/domain/yaml_message.h"
#include "services/assessment/domain/yaml_section.h"
#include "services/scoring/domain/engine.h"

namespace fadu {
namespace {

using assessment::ItemPath;
using assessment::YamlKey;
using assessment::YamlReport;
using assessment::YamlSection;

constexpr size_t kMaxSourceBytes = 1000000;
constexpr size_t kMaxItems = 2000;
constexpr int64_t kMaxCopies = 20000;

std::vector<YamlKey> Keys(std::initializer_list<const char*> names) {
  std::vector<YamlKey> keys;
  for (const char* name : names) keys.push_back({name, name});
  return keys;
}

class Runner {
 public:
  Runner(absl::string_view source, const RecordTypes& types, const FileReader& read)
      : source_(source), types_(types), read_(read), report_(source, result_.findings, places_) {}

  ScenarioResult Run() {
    const absl::optional<YAML::Node> node = LoadYaml(report_, source_, kMaxSourceBytes);
    if (node.has_value()) {
      try {
        Read(*node);
      } catch (const std::exception&) {
        report_.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX", "YAML 内容无法读取");
      }
    }
    return std::move(result_);
  }

 private:
  void Read(const YAML::Node& node) {
    const YamlSection root(report_, node, "",
                           Keys({"about", "year", "as_of", "language", "closed", "rubric",
                                 "rubric_file", "areas", "facts", "marks", "rulings", "adjustments",
                                 "results", "figures", "splits", "samples", "expect"}));
    if (!root.valid()) return;
    (void)root.Text("about", false);
    year_ = static_cast<int>(root.Whole("year", true, 2000, 2999).value_or(2024));
    if (root.OneOf("language", false, {{"zh", 0}, {"en", 1}}, 0) == 1) language_ = "en";
    ReadRubric(root);
    ReadAreas(root);
    ReadFacts(root);
    ReadGivens(root);
    const std::vector<YAML::Node> expected = root.List("expect", true, kMaxItems);
    if (report_.failed()) return;
    Compute();
    if (report_.failed()) return;
    for (size_t i = 0; i < expected.size(); ++i) {
      Expect(YamlSection(
          report_, expected[i], ItemPath("expect", i),
          Keys({"area",     "total",          "total_exact",    "max",        "pending",
                "tier",     "tier_by_points", "award_barred",   "unrated",    "provisional",
                "rank",     "ranked",         "prize",          "last_place", "quota_tier",
                "money",    "titles",         "open_questions", "groups",     "group_texts",
                "shared",   "decisions",      "gates",          "text",       "lines",
                "findings", "applications"})));
    }
  }

  void ReadRubric(const YamlSection& root) {
    assessment::CompiledRubric compiled;
    std::string file;
    if (root.Has("rubric_file")) {
      file = root.Text("rubric_file", true);
      const absl::StatusOr<std::string> text = read_(file);
      if (!text.ok()) {
        return root.Error("rubric_file", "FILE_UNREADABLE", absl::StrCat("无法读取 ", file));
      }
      compiled = assessment::CompileRubric(*text);
    } else if (const YAML::Node* node = root.Find("rubric", true); node != nullptr) {
      compiled = assessment::CompileRubricNode(source_, Completed(*node));
    }
    if (compiled.rubric.has_value()) {
      inputs_.rubric = *compiled.rubric;
      std::vector<assessment::v1::Finding> found = scoring::CheckRubric(inputs_.rubric, types_);
      assessment::PlaceFindings(compiled.places, found);
      for (const auto& finding : found) {
        codes_.insert(finding.code());
        if (finding.severity() == assessment::v1::Finding::SEVERITY_ERROR) has_errors_ = true;
      }
      rubric_findings_ = std::move(found);
      return;
    }
    for (const assessment::v1::Finding& finding : compiled.findings) {
      report_.Error(YAML::Mark::null_mark(), finding.path(), finding.code(),
                    absl::StrCat(file.empty() ? "" : absl::StrCat(file, "："), finding.message()));
      if (file.empty()) {
        result_.findings.back().set_yaml_line(finding.yaml_line());
        result_.findings.back().set_yaml_column(finding.yaml_column());
      }
    }
  }

  // A rubric inside a scenario may leave out what does not matter there.
  YAML::Node Completed(const YAML::Node& node) const {
    if (!node.IsMap()) return node;
    YAML::Node rubric = node;  // the same node: its places stay
    const auto preset = [](YAML::Node map, const char* key, const std::string& value) {
      if (map.IsMap() && !map[key].IsDefined()) map[key] = value;
    };
    preset(rubric, "rubric", "scenario");
    preset(rubric, "version", "1");
    preset(rubric, "title", "示例细则");
    preset(rubric, "year", absl::StrCat(year_));
    preset(rubric, "subject", "village");
    if (!rubric["tiers"].IsDefined()) {
      YAML::Node tier;
      tier["name"] = "合格";
      tier["from"] = "0";
      rubric["tiers"].push_back(tier);
    }
    if (rubric["lines"].IsSequence()) {
      for (YAML::Node line : rubric["lines"]) {
        preset(line, "title", "示例");
        preset(line, "basis", "示例依据");
      }
    }
    return rubric;
  }

  void ReadAreas(const YamlSection& root) {
    inputs_.snapshot.set_year(year_);
    std::map<std::string, std::string> names;
    std::map<std::string, std::string> since;
    const std::vector<YAML::Node> areas = root.List("areas", true, kMaxItems);
    for (size_t i = 0; i < areas.size(); ++i) {
      const YamlSection area(report_, areas[i], ItemPath("areas", i),
                             Keys({"code", "name", "since"}));
      const std::string code = area.Text("code", true);
      if (code.empty()) continue;
      if (!IsAreaCode(code) || code.size() < 6) {
        area.Error("code", "AREA_CODE", "应为6、9或12位区划代码（加引号）");
        continue;
      }
      names[code] = area.Has("name") ? area.Text("name", true) : code;
      since[code] = area.Text("since", false);
      // Towns and county above come with their villages.
      for (const size_t above : {size_t{6}, size_t{9}}) {
        if (above < code.size()) names.try_emplace(code.substr(0, above), code.substr(0, above));
      }
    }
    for (const auto& [code, name] : names) {
      auto& node = *inputs_.snapshot.add_areas();
      node.set_code(code);
      node.set_name(name);
      node.set_valid_from_date(since[code]);
    }
    if (!names.empty()) inputs_.snapshot.set_county_code(names.begin()->first.substr(0, 6));
    if (root.OneOf("closed", false, {{"true", 1}, {"false", 0}}, 0) == 1) {
      inputs_.snapshot.add_frozen_areas(inputs_.snapshot.county_code());
    }
    // A scenario is told from the end of its year, unless it says otherwise.
    as_of_ = absl::CivilDay(year_, 12, 31);
    if (root.Has("as_of")) {
      const absl::StatusOr<absl::CivilDay> day = ParseDay(root.Text("as_of", true));
      if (!day.ok()) return root.Error("as_of", "DATE_INVALID", "应为日期（形如 2024-12-31）");
      as_of_ = *day;
    }
    inputs_.snapshot.set_as_of_date(FormatDay(as_of_));
  }

  void ReadFacts(const YamlSection& root) {
    std::vector<scoring::FactView> facts;
    const std::vector<YAML::Node> items = root.List("facts", false, kMaxItems);
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string path = ItemPath("facts", i);
      const YamlSection item(report_, items[i], path,
                             Keys({"type", "id", "area", "count", "confirmed", "values"}));
      if (!item.valid()) continue;
      const RecordType* type = types_.FindByCollection(item.Text("type", true));
      if (type == nullptr) {
        std::vector<std::string> known;
        for (const auto& each : types_.all()) known.push_back(each->collection());
        item.Error("type", "TYPE_UNKNOWN",
                   absl::StrCat("没有这种记录；可用：", absl::StrJoin(known, "、")));
        continue;
      }
      std::shared_ptr<google::protobuf::Message> values = type->New();
      if (const YAML::Node* node = item.Find("values", true); node != nullptr) {
        assessment::ReadGiven(report_, *node, path + ".values", *values);
      }
      const std::string area = item.Text("area", true);
      values->GetReflection()->SetString(values.get(),
                                         type->descriptor()->FindFieldByName("area_code"), area);
      const std::string counted = type->CountingDateOf(*values);
      const absl::StatusOr<absl::CivilDay> day = ParseDay(counted);
      if (!day.ok()) {
        item.Error(
            "values", "DATE_MISSING",
            absl::StrCat("缺少计数日期 ", type->options().counting_date(), "（形如 2024-03-15）"));
        continue;
      }
      const bool confirmed = item.OneOf("confirmed", false, {{"true", 1}, {"false", 0}}, 1) != 0;
      const int64_t copies = item.Whole("count", false, 0, kMaxCopies).value_or(1);
      for (int64_t copy = 0; copy < copies; ++copy) {
        scoring::FactView fact;
        fact.service = "scenario";
        fact.type = type;
        fact.id = absl::StrCat("00000000-0000-7000-8000-",
                               100000000000 + static_cast<int64_t>(facts.size()));
        fact.revision = 1;
        fact.area_code = area;
        fact.counted_on = *day;
        fact.confirmed = confirmed;
        fact.values = values;
        if (item.Has("id")) {
          record_names_[item.Text("id", true)] =
              absl::StrCat("counties/", area.substr(0, 6), "/", type->collection(), "/", fact.id);
        }
        facts.push_back(std::move(fact));
      }
    }
    scoring::FactContext context;
    context.areas.assign(inputs_.snapshot.areas().begin(), inputs_.snapshot.areas().end());
    context.frozen.assign(inputs_.snapshot.frozen_areas().begin(),
                          inputs_.snapshot.frozen_areas().end());
    context.as_of = as_of_;
    inputs_.facts = scoring::FactSet::Build(std::move(facts), std::move(context));
  }

  // What people and outside handed in. Keys are the fields of the messages, `area` for area_code;
  // what does not matter for the score may be left out.
  template <typename Message>
  void ReadGiven(const YamlSection& root, const char* key, std::vector<Message>& list) {
    const std::vector<YAML::Node> items = root.List(key, false, kMaxItems);
    for (size_t i = 0; i < items.size(); ++i) {
      YAML::Node item = items[i];
      const std::string path = ItemPath(key, i);
      const std::string date = DateFieldOf(Message::descriptor());
      for (const auto& [alias, field] : {std::pair<std::string, std::string>("area", "area_code"),
                                         std::pair<std::string, std::string>("line", "line_id"),
                                         std::pair<std::string, std::string>("date", date)}) {
        if (!item.IsMap() || !item[alias].IsDefined()) continue;
        item[field] = item[alias];
        item.remove(alias);
      }
      Message message;
      assessment::ReadGiven(report_, item, path, message);
      Complete(message);
      list.push_back(std::move(message));
    }
  }

  static std::string DateFieldOf(const google::protobuf::Descriptor* descriptor) {
    return descriptor->options().GetExtension(common::v1::record).counting_date();
  }

  // Year, date and words that a record must have.
  void Complete(google::protobuf::Message& message) const {
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const auto* field = message.GetDescriptor()->field(i);
      const auto& rules = field->options().GetExtension(common::v1::rules);
      if (field->name() == "year" && reflection->GetInt32(message, field) == 0) {
        reflection->SetInt32(&message, field, year_);
      }
      const bool text = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING &&
                        !field->is_repeated();
      if (!text || !rules.required() || !reflection->GetString(message, field).empty()) continue;
      const bool date = rules.format() == common::v1::FORMAT_DATE;
      reflection->SetString(&message, field, date ? absl::StrCat(year_, "-12-31") : "示例");
    }
  }

  void ReadGivens(const YamlSection& root) {
    ReadGiven(root, "marks", inputs_.marks);
    ReadGiven(root, "rulings", inputs_.rulings);
    ReadGiven(root, "adjustments", inputs_.adjustments);
    ReadGiven(root, "results", inputs_.results);
    ReadGiven(root, "figures", inputs_.figures);
    ReadGiven(root, "splits", inputs_.splits);
    ReadGiven(root, "samples", inputs_.samples);
    for (assessment::v1::ResponsibilitySplit& split : inputs_.splits) {
      const auto named = record_names_.find(split.record());
      if (named != record_names_.end()) split.set_record(named->second);
    }
  }

  void Compute() {
    if (has_errors_) return;
    absl::StatusOr<scoring::v1::RunResult> result = scoring::ComputeRun(inputs_, types_);
    if (!result.ok()) {
      return report_.Error(YAML::Mark::null_mark(), "", "RUN_FAILED",
                           std::string(result.status().message()));
    }
    result_.result = *std::move(result);
  }

  // ---- expectations
  // ------------------------------------------------------------------------------

  void Differ(const YamlSection& section, absl::string_view key, const std::string& where,
              const std::string& expected, const std::string& got) {
    ++result_.checks;
    if (expected == got) return;
    result_.differences.push_back(
        {report_.PlaceOf(section.MarkOf(key)).line, absl::StrCat(where, " ", key), expected, got});
  }

  // A key that must equal a text.
  void Same(const YamlSection& section, const std::string& where, absl::string_view key,
            const std::string& got) {
    if (!section.Has(key)) return;
    const YAML::Node* node = section.Find(key, true);  // "" is a value here
    if (node == nullptr) return;
    Differ(section, key, where, node->IsScalar() ? node->Scalar() : "?", got);
  }

  // A key that must equal a list of texts.
  void SameList(const YamlSection& section, const std::string& where, absl::string_view key,
                const std::vector<std::string>& got) {
    if (!section.Has(key)) return;
    std::vector<std::string> expected;
    for (const YAML::Node& item : section.List(key, false, kMaxItems)) {
      expected.push_back(item.IsScalar() ? item.Scalar() : "?");
    }
    Differ(section, key, where, absl::StrJoin(expected, " | "), absl::StrJoin(got, " | "));
  }

  static std::string Number(int64_t units) { return Points::FromUnits(units).ToString(); }

  // Which errors and warnings the rubric itself has.
  void ExpectFindings(const YamlSection& expect) {
    if (expect.Has("applications")) {
      std::vector<std::string> shorts;
      for (const auto& each : result_.result.applications()) {
        shorts.push_back(absl::StrCat(each.area_code(), " ", each.entered(), "/", each.at_least()));
      }
      SameList(expect, "run", "applications", shorts);
    }
    if (expect.Has("findings")) {
      return SameList(expect, "rubric", "findings", {codes_.begin(), codes_.end()});
    }
    if (has_errors_ && !told_errors_) {
      told_errors_ = true;
      for (const auto& finding : rubric_findings_) result_.findings.push_back(finding);
    }
  }

  void Expect(const YamlSection& expect) {
    if (!expect.valid()) return;
    ExpectFindings(expect);
    if (has_errors_ || !expect.Has("area")) return;
    const std::string area = expect.Text("area", true);
    const scoring::v1::ScoreSheet* sheet = nullptr;
    for (const auto& each : result_.result.villages()) {
      if (each.area_code() == area) sheet = &each;
    }
    if (sheet == nullptr) {
      return expect.Error("area", "AREA_UNKNOWN", "结果中没有这个村");
    }
    const auto explained = scoring::Explain(inputs_, types_, area, "", language_);
    if (!explained.ok()) return;
    Same(expect, area, "total", Number(sheet->total_e4()));
    Same(expect, area, "max", Number(sheet->max_e4()));
    Same(expect, area, "pending", Number(sheet->pending_e4()));
    Same(expect, area, "tier", sheet->tier());
    Same(expect, area, "tier_by_points", sheet->tier_by_points());
    Same(expect, area, "total_exact", sheet->total_exact());
    Same(expect, area, "award_barred", sheet->award_barred() ? "true" : "false");
    Same(expect, area, "unrated", sheet->unrated() ? "true" : "false");
    Same(expect, area, "provisional", sheet->provisional() ? "true" : "false");
    Same(expect, area, "rank", absl::StrCat(sheet->rank()));
    Same(expect, area, "ranked", absl::StrCat(sheet->ranked()));
    Same(expect, area, "prize", sheet->prize());
    Same(expect, area, "last_place", sheet->last_place());
    Same(expect, area, "quota_tier", sheet->quota_tier());
    SameList(expect, area, "open_questions",
             {sheet->open_questions().begin(), sheet->open_questions().end()});
    ExpectLists(expect, area, *sheet, *explained);
    Same(expect, area, "text", explained->text());
    std::vector<std::string> gates;
    for (const auto& gate : explained->gates()) gates.push_back(gate.text());
    SameList(expect, area, "gates", gates);
    const std::vector<YAML::Node> lines = expect.List("lines", false, kMaxItems);
    for (size_t i = 0; i < lines.size(); ++i) {
      ExpectLine(YamlSection(report_, lines[i], ItemPath(expect.PathOf("lines"), i),
                             Keys({"id", "points", "status", "earned", "due", "taken", "text",
                                   "form", "exemption", "periods", "clauses"})),
                 area, *explained);
    }
  }

  void ExpectLists(const YamlSection& expect, const std::string& area,
                   const scoring::v1::ScoreSheet& sheet,
                   const scoring::v1::SheetExplanation& explained) {
    std::vector<std::string> money;
    for (const auto& each : sheet.money()) {
      money.push_back(absl::StrCat(each.what(), " ", Number(each.amount_e4())));
    }
    SameList(expect, area, "money", money);
    std::vector<std::string> titles;
    for (const auto& each : sheet.titles()) {
      titles.push_back(absl::StrCat(each.title(), " ", each.outcome()));
    }
    SameList(expect, area, "titles", titles);
    std::vector<std::string> groups;
    for (const auto& each : sheet.groups()) {
      groups.push_back(
          absl::StrCat(each.group_id(), " ", each.absent() ? "absent" : Number(each.points_e4())));
    }
    SameList(expect, area, "groups", groups);
    std::vector<std::string> texts;
    for (const auto& each : explained.groups()) texts.push_back(each.text());
    SameList(expect, area, "group_texts", texts);
    std::vector<std::string> shared;
    for (const auto& each : explained.shared()) shared.push_back(absl::StrJoin(each.lines(), "+"));
    SameList(expect, area, "shared", shared);
    SameList(expect, area, "decisions",
             {explained.decisions().begin(), explained.decisions().end()});
  }

  void ExpectLine(const YamlSection& expect, const std::string& area,
                  const scoring::v1::SheetExplanation& explained) {
    const std::string id = expect.Text("id", true);
    for (const scoring::v1::LineExplanation& line : explained.lines()) {
      if (line.score().line_id() != id) continue;
      const std::string where = absl::StrCat(area, " ", id);
      Same(expect, where, "points", Number(line.score().points_e4()));
      Same(expect, where, "earned", Number(line.score().earned_e4()));
      Same(expect, where, "due", Number(line.due_e4()));
      Same(expect, where, "taken", Number(line.taken_e4()));
      const auto* status =
          scoring::v1::LineStatus_descriptor()->FindValueByNumber(line.score().status());
      Same(expect, where, "status", absl::AsciiStrToLower(EnumCode(status)));
      Same(expect, where, "exemption", line.score().exemption());
      std::vector<std::string> periods;
      for (const auto& period : line.score().periods()) {
        periods.push_back(absl::StrCat(period.period(), " ", Number(period.points_e4())));
      }
      SameList(expect, where, "periods", periods);
      Same(expect, where, "form", line.form());
      Same(expect, where, "text", line.text());
      const std::vector<YAML::Node> clauses = expect.List("clauses", false, kMaxItems);
      for (size_t i = 0; i < clauses.size() && i < static_cast<size_t>(line.clauses_size()); ++i) {
        const scoring::v1::ClauseExplanation& clause = line.clauses(static_cast<int>(i));
        const std::string place = absl::StrCat(where, " clause ", i);
        const YamlSection wanted(report_, clauses[i], ItemPath(expect.PathOf("clauses"), i),
                                 Keys({"raw", "raw_exact", "applied", "earns", "records", "missing",
                                       "requirement", "found", "arithmetic", "form"}));
        Same(wanted, place, "raw", Number(clause.raw_e4()));
        Same(wanted, place, "raw_exact", clause.raw_exact());
        Same(wanted, place, "applied", Number(clause.applied_e4()));
        Same(wanted, place, "earns", clause.earns() ? "true" : "false");
        Same(wanted, place, "records", absl::StrCat(clause.record_count()));
        Same(wanted, place, "requirement", clause.requirement());
        Same(wanted, place, "found", clause.found());
        Same(wanted, place, "arithmetic", clause.arithmetic());
        Same(wanted, place, "form", clause.form());
        SameList(wanted, place, "missing", {clause.missing().begin(), clause.missing().end()});
      }
      return;
    }
    expect.Error("id", "LINE_UNKNOWN", "细则中没有这一项");
  }

  const absl::string_view source_;
  const RecordTypes& types_;
  const FileReader& read_;
  ScenarioResult result_;
  assessment::YamlPlaces places_;
  YamlReport report_;
  int year_ = 2024;
  absl::CivilDay as_of_;
  std::string language_ = "zh";
  std::map<std::string, std::string> record_names_;  // of facts with an id
  scoring::RunInputs inputs_;
  std::vector<assessment::v1::Finding> rubric_findings_;
  std::set<std::string> codes_;
  bool has_errors_ = false;
  bool told_errors_ = false;
};

}  // namespace

ScenarioResult RunScenario(absl::string_view source, const RecordTypes& types,
                           const FileReader& read) {
  return Runner(source, types, read).Run();
}

}  // namespace fadu
