#!/usr/bin/env python3
"""Departments and browsers meet the gateway: Connect and REST over a real suite, in both topologies.

http_test.py PROGRAM OneProcess|ProcessPerService
"""
import base64
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import suite as gate  # pylint: disable=wrong-import-position
from suite import COUNTY, dispute, new_id, query  # pylint: disable=wrong-import-position

RECORDS = "/fadu.common.v1.RecordService/"
SUITE = None


def setUpModule():
    global SUITE  # pylint: disable=global-statement
    SUITE = gate.Suite(PROGRAM, TOPOLOGY, {"user_calls_per_second": 1000}).set_up()


def tearDownModule():
    SUITE.stop()


def create(title="邻里纠纷（示例）", account="clerk", **parameters):
    parameters.setdefault("requestId", new_id())
    answer = SUITE.request("POST", f"/v1/{COUNTY}/disputes" + query(**parameters), dispute(title),
                           account=account)
    assert answer.status == 200, answer.body
    return answer


class Rest(unittest.TestCase):
    def test_a_department_posts_json_and_reads_it_back(self):
        made = create(account="department", submit="true")
        self.assertEqual(made.headers["etag"], '"1"')
        self.assertEqual(made.json["record"]["@type"], "type.googleapis.com/fadu.mediation.v1.Dispute")
        read = SUITE.request("GET", "/v1/" + made.json["name"], account="department")
        self.assertEqual(read.status, 200)
        self.assertEqual(read.json["record"]["title"], "邻里纠纷（示例）")
        self.assertEqual(read.json["reviewState"], "REVIEW_STATE_SUBMITTED")

    def test_a_repeated_request_has_one_effect(self):
        key = new_id()
        path = f"/v1/{COUNTY}/disputes"
        first, second = (SUITE.request("POST", path, dispute(), {"Idempotency-Key": key}, "clerk")
                         for _ in range(2))
        self.assertEqual(first.json["name"], second.json["name"])
        self.assertTrue(second.json["replayed"])

    def test_a_stale_if_match_is_409(self):
        made = create()
        path = "/v1/" + made.json["name"] + query(updateMask="title", requestId=new_id())
        changed = SUITE.request("PATCH", path, {"title": "第二版（示例）"}, {"If-Match": '"1"'}, "clerk")
        self.assertEqual(changed.status, 200, changed.body)
        self.assertEqual(changed.headers["etag"], '"2"')
        path = "/v1/" + made.json["name"] + query(updateMask="title", requestId=new_id())
        stale = SUITE.request("PATCH", path, {"title": "第三版（示例）"}, {"If-Match": '"1"'}, "clerk")
        self.assertEqual((stale.status, stale.reason), (409, "REASON_ETAG_MISMATCH"))

    def test_a_record_goes_through_its_review_and_is_deleted(self):
        name = create(submit="true").json["name"]
        returned = SUITE.request("POST", f"/v1/{name}:review",
                                 {"action": "RETURN", "comment": "补充（示例）", "requestId": new_id()},
                                 account="reviewer")
        self.assertEqual(returned.json["reviewState"], "REVIEW_STATE_RETURNED")
        SUITE.request("POST", f"/v1/{name}:review", {"action": "SUBMIT", "requestId": new_id()},
                      account="clerk")
        confirmed = SUITE.request("POST", f"/v1/{name}:review",
                                  {"action": "CONFIRM", "requestId": new_id()}, account="reviewer")
        self.assertEqual(confirmed.json["reviewState"], "REVIEW_STATE_CONFIRMED")
        revisions = SUITE.request("GET", f"/v1/{name}/revisions", account="reviewer")
        self.assertEqual([r["operation"] for r in revisions.json["revisions"]],
                         ["create", "return", "submit", "confirm"])
        gone = SUITE.request("DELETE", f"/v1/{name}" + query(requestId=new_id(), reason="示例"),
                             account="reviewer")
        self.assertEqual(gone.status, 200, gone.body)
        self.assertIn("deleteTime", gone.json)

    def test_lists_are_filtered_and_paged_by_parameters(self):
        title = "分页（示例）" + new_id()[:8]
        for _ in range(3):
            create(title, submit="true")
        path = f"/v1/{COUNTY}/disputes"
        seen, token = [], ""
        while True:
            page = SUITE.request("GET", path + query(pageSize=2, filter="category = NEIGHBOUR",
                                                     pageToken=token), account="reviewer")
            self.assertEqual(page.status, 200, page.body)
            seen += [r["name"] for r in page.json.get("records", []) if r["record"]["title"] == title]
            token = page.json.get("nextPageToken", "")
            if not token:
                break
        self.assertEqual(len(seen), 3)

    def test_the_service_in_front_of_the_path_is_the_one_asked(self):
        types = SUITE.request("GET", "/mediation/v1/recordTypes", account="clerk").json["recordTypes"]
        self.assertIn("disputes", [t["collection"] for t in types])
        self.assertNotIn("exams", [t["collection"] for t in types])
        unnamed = SUITE.request("GET", "/v1/recordTypes", account="clerk")
        self.assertEqual((unnamed.status, unnamed.reason), (400, "REASON_SERVICE_UNNAMED"))
        wrong = SUITE.request("GET", f"/education/v1/{COUNTY}/disputes", account="clerk")
        self.assertEqual((wrong.status, wrong.reason), (400, "REASON_REQUEST_MALFORMED"))

    def test_scoring_and_registry_answer_under_their_paths(self):
        area = SUITE.request("GET", "/v1/areas/421221106", account="clerk")
        self.assertEqual(area.json["title"], "潘家湾镇")
        value = SUITE.request("POST", f"/v1/{COUNTY}/measures:evaluate",
                              {"expressions": ["count(disputes)"], "areaCode": "421221106", "year": 2024},
                              account="reviewer")
        self.assertEqual(value.status, 200, value.body)
        self.assertIn("text", value.json["values"][0])


class Scope(unittest.TestCase):
    def test_what_lies_outside_the_callers_area_is_404(self):
        name = create().json["name"]
        other = SUITE.request("GET", "/v1/" + name, account="other")
        self.assertEqual((other.status, other.reason), (404, "REASON_NOT_FOUND"))

    def test_personal_fields_are_masked(self):
        parties = [{"name": "示例甲乙", "phone": "10010000001"}]
        made = SUITE.request("POST", f"/v1/{COUNTY}/disputes" + query(requestId=new_id()),
                             dispute(parties=parties), account="clerk")
        party = made.json["record"]["parties"][0]
        self.assertEqual(party["name"][0], "示")
        for hidden in ("例甲乙", "10010000001"):
            self.assertNotIn(hidden, made.body.decode())

    def test_without_a_token_nothing_but_signing_in_is_answered(self):
        for method, path in (("GET", "/v1/areas/421221106"), ("GET", f"/v1/{COUNTY}/disputes"),
                             ("POST", f"/v1/{COUNTY}/disputes"), ("GET", "/mediation/v1/recordTypes"),
                             ("POST", RECORDS + "ListRecords"), ("GET", f"/v1/{COUNTY}/areas")):
            answer = SUITE.request(method, path, {} if method == "POST" else None)
            self.assertEqual(answer.status, 401, (path, answer.body))
            self.assertEqual(answer.headers["www-authenticate"], "Bearer")
        for token in ("x", "", SUITE.accounts["clerk"][:-4] + "AAAA", SUITE.accounts["clerk"] + "x" * 7000):
            answer = SUITE.request("GET", "/v1/areas/421221106", headers={"Authorization": "Bearer " + token})
            self.assertEqual(answer.status, 401)

    # The gateway has a key pair of its own, which opens nothing.
    def test_methods_for_services_are_not_there(self):
        for path in ("/fadu.common.v1.FactFeedService/PullFacts", "/fadu.scoring.v1.ScoringService/PutFacts"):
            answer = SUITE.request("POST", "/mediation" + path, {}, account="admin")
            self.assertEqual(answer.status, 404)


class Connect(unittest.TestCase):
    def call(self, method, body, account="clerk", service="", **headers):
        return SUITE.request("POST", service + RECORDS + method, body,
                             {"Content-Type": "application/json", "Connect-Protocol-Version": "1",
                              **headers}, account)

    def test_unary_json_finds_the_service_by_the_record(self):
        made = self.call("CreateRecord", {
            "parent": COUNTY, "requestId": new_id(),
            "record": {"@type": "type.googleapis.com/fadu.mediation.v1.Dispute", **dispute()}})
        self.assertEqual(made.status, 200, made.body)
        read = self.call("GetRecord", {"name": made.json["name"]})
        self.assertEqual(read.json["record"]["areaCode"], gate.VILLAGE)
        listed = self.call("ListRecords", {"parent": COUNTY, "collection": "disputes"})
        self.assertGreaterEqual(len(listed.json["records"]), 1)

    def test_get_is_for_what_has_no_side_effects(self):
        message = json.dumps({"name": "areas/421221106"})
        path = "/fadu.registry.v1.RegistryService/GetArea"
        plain = SUITE.request("GET", path + query(connect="v1", encoding="json", message=message),
                              account="clerk")
        self.assertEqual(plain.json["code"], "421221106")
        packed = base64.urlsafe_b64encode(message.encode()).decode().rstrip("=")
        coded = SUITE.request("GET", path + query(connect="v1", encoding="json", base64="1",
                                                  message=packed), account="clerk")
        self.assertEqual(coded.json, plain.json)
        writing = SUITE.request("GET", RECORDS + "CreateRecord" + query(encoding="json", message="{}"),
                                account="clerk")
        self.assertEqual((writing.status, writing.headers["allow"]), (405, "POST"))

    def test_binary_is_passed_on_as_it_is(self):
        # Field 1 (name), 15 bytes: 0a 0f "areas/421221106".
        answer = SUITE.request("POST", "/fadu.registry.v1.RegistryService/GetArea",
                               b"\x0a\x0fareas/421221106", {"Content-Type": "application/proto"}, "clerk")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "application/proto")
        self.assertTrue(answer.body.startswith(b"\x0a\x0fareas/421221106\x12\x09421221106"))

    def test_a_failure_is_told_as_connect_tells_it(self):
        answer = self.call("GetRecord", {"name": f"{COUNTY}/disputes/{new_id()}"})
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.json["code"], "not_found")
        info = answer.detail("ErrorInfo")
        self.assertEqual((info["reason"], info["domain"]), ("REASON_NOT_FOUND", "fadu.common.v1"))
        self.assertIn("未找到", answer.detail("LocalizedMessage")["message"])
        english = self.call("GetRecord", {"name": f"{COUNTY}/disputes/{new_id()}"}, **{"Accept-Language": "en"})
        self.assertIn("not visible", english.detail("LocalizedMessage")["message"])

    def test_the_time_given_is_the_deadline(self):
        answer = self.call("ListRecords", {"parent": COUNTY, "collection": "disputes"},
                           **{"Connect-Timeout-Ms": "0"})
        self.assertEqual((answer.status, answer.json["code"]), (504, "deadline_exceeded"))

    def test_other_types_versions_and_compressions_are_refused(self):
        def status(**headers):
            return self.call("GetRecord", {"name": "x"}, **headers).status
        self.assertEqual(status(**{"Content-Type": "text/plain"}), 415)
        self.assertEqual(status(**{"Content-Type": "application/connect+json"}), 415)
        self.assertEqual(status(**{"Content-Type": "application/json; charset=gbk"}), 415)
        self.assertEqual(status(**{"Content-Encoding": "gzip"}), 415)
        self.assertEqual(status(**{"Connect-Protocol-Version": "2"}), 400)
        self.assertEqual(status(**{"Connect-Timeout-Ms": "soon"}), 400)

    def test_violations_of_fields_come_with_their_paths(self):
        answer = self.call("CreateRecord", {
            "parent": COUNTY, "requestId": new_id(),
            "record": {"@type": "type.googleapis.com/fadu.mediation.v1.Dispute", **dispute(title="")}})
        fields = [v["field"] for v in answer.detail("BadRequest")["fieldViolations"]]
        self.assertEqual((answer.status, fields), (400, ["record.title"]))
        unknown = self.call("CreateRecord", {
            "parent": COUNTY, "requestId": new_id(),
            "record": {"@type": "type.googleapis.com/fadu.mediation.v1.Dispute", "titel": "x"}})
        fields = [v["field"] for v in unknown.detail("BadRequest")["fieldViolations"]]
        self.assertEqual((unknown.status, fields), (400, ["record.titel"]))


class Surroundings(unittest.TestCase):
    def test_every_answer_has_the_headers_that_protect_a_browser(self):
        for path in ("/healthz", "/v1/areas/421221106", "/nothing", "/%2e%2e/x"):
            headers = SUITE.request("GET", path).headers
            for name in ("content-security-policy", "x-content-type-options", "x-frame-options",
                         "referrer-policy", "cross-origin-resource-policy", "cache-control"):
                self.assertIn(name, headers, (path, name))
            self.assertNotIn("access-control-allow-origin", headers)
            self.assertNotIn("server", headers)

    def test_request_id_and_trace_go_through_to_the_service(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        request_id = "req-" + new_id()
        answer = SUITE.request("GET", "/v1/areas/421221106", account="clerk", headers={
            "X-Request-Id": request_id, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        self.assertEqual(answer.headers["x-request-id"], request_id)
        lines = [json.loads(line) for line in SUITE.log().splitlines() if request_id in line]
        self.assertEqual({(line["message"], line["trace_id"]) for line in lines},
                         {("http", trace), ("call", trace)})

    def test_the_access_log_names_methods_and_no_contents(self):
        create("不该出现在日志里的标题")
        self.assertNotIn("不该出现在日志里的标题", SUITE.log())
        self.assertNotIn(SUITE.accounts["clerk"][:40], SUITE.log())

    def test_methods_that_a_path_lacks_are_405_with_those_it_has(self):
        answer = SUITE.request("PUT", f"/v1/{COUNTY}/disputes", account="clerk")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, POST"))
        unknown = SUITE.request("GET", "/v1/unknown", account="clerk")
        self.assertEqual((unknown.status, unknown.reason), (404, "REASON_PATH_UNKNOWN"))

    def test_rates_of_the_contract_hold_per_caller(self):
        name = create().json["name"]
        statuses = [SUITE.request("POST", f"/v1/{name}:unmask", {"purpose": "示例", "requestId": new_id()},
                                  account="reviewer").status for _ in range(31)]
        self.assertEqual(statuses, [200] * 30 + [429])
        limited = SUITE.request("POST", f"/v1/{name}:unmask", {"purpose": "示例", "requestId": new_id()},
                                account="reviewer")
        self.assertEqual(limited.reason, "REASON_RATE_LIMITED")
        self.assertLessEqual(int(limited.headers["retry-after"]), 120)  # 3600 s ÷ 30
        other = SUITE.request("POST", f"/v1/{name}:unmask", {"purpose": "示例", "requestId": new_id()},
                              account="other")
        self.assertEqual(other.status, 404)


if __name__ == "__main__":
    PROGRAM, TOPOLOGY = sys.argv[1], sys.argv[2]
    unittest.main(argv=sys.argv[:1])
