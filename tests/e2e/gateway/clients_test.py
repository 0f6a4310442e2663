#!/usr/bin/env python3
"""Clients that others wrote, unmodified, against the gateway: connect-node and buf curl.

clients_test.py PROGRAM
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, HERE)
import suite as gate  # pylint: disable=wrong-import-position

SUITE = None
BUF = ROOT + "/tests/lint/node_modules/.bin/buf"


def setUpModule():
    global SUITE  # pylint: disable=global-statement
    SUITE = gate.Suite(PROGRAM).set_up()


def tearDownModule():
    SUITE.stop()


class Clients(unittest.TestCase):
    def test_connect_node_writes_reads_and_fails_in_json_and_binary_by_post_and_get(self):
        with tempfile.NamedTemporaryFile(suffix=".binpb") as descriptors:
            subprocess.run(["protoc", "-I", ROOT + "/protos", "--include_imports",
                            "--descriptor_set_out", descriptors.name,
                            "fadu/common/v1/record_service.proto", "fadu/mediation/v1/dispute.proto",
                            "google/rpc/error_details.proto"], check=True)
            done = subprocess.run(["node", HERE + "/connect_client.js", f"http://{SUITE.host}:{SUITE.port}",
                                   SUITE.accounts["clerk"], descriptors.name],
                                  capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = {"title": "连接客户端（示例）", "amount": "9007199254740993",
                    "failure": {"code": "NotFound", "reason": "REASON_NOT_FOUND"}}
        self.assertEqual(json.loads(done.stdout), [expected] * 4)

    def curl(self, path, data, *more):
        return subprocess.run([BUF, "curl", "--schema", ROOT + "/protos", "--protocol",
                               "connect", "-H", "Authorization: Bearer " + SUITE.accounts["clerk"],
                               "-d", json.dumps(data), *more, f"http://{SUITE.host}:{SUITE.port}{path}"],
                              capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    def test_buf_curl_reads_an_area_and_lists_records(self):
        area = self.curl("/fadu.registry.v1.RegistryService/GetArea", {"name": "areas/421221106"})
        self.assertEqual(area.returncode, 0, area.stderr)
        self.assertEqual(json.loads(area.stdout)["title"], "潘家湾镇")
        types = self.curl("/mediation/fadu.common.v1.RecordService/ListRecordTypes", {})
        self.assertEqual(json.loads(types.stdout)["recordTypes"][0]["collection"], "disputes")

    def test_buf_curl_says_why_a_call_failed(self):
        failed = self.curl("/fadu.registry.v1.RegistryService/GetArea", {"name": "areas/421221999"})
        self.assertNotEqual(failed.returncode, 0)
        error = json.loads(failed.stderr)
        self.assertEqual(error["code"], "not_found")
        self.assertEqual(error["details"][0]["debug"]["reason"], "REASON_AREA_UNKNOWN")


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
