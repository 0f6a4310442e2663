#!/usr/bin/env python3
"""Every shell example of docs/howto/http.md, run in order against a real suite.

howto_test.py PROGRAM
"""
import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import suite as gate  # pylint: disable=wrong-import-position

PAGE = os.path.join(HERE, "../../../docs/howto/http.md")
# Where jq is not installed: the one form that the page uses.
JQ = "jq() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1][1:]])' \"$2\"; }\n"
SUITE = None


def setUpModule():
    global SUITE  # pylint: disable=global-statement
    SUITE = gate.Suite(PROGRAM).set_up()


def tearDownModule():
    SUITE.stop()


class HowTo(unittest.TestCase):
    def test_the_examples_do_what_the_page_says(self):
        with open(PAGE, encoding="utf-8") as file:
            blocks = re.findall(r"```sh\n(.*?)```", file.read(), re.S)
        self.assertGreaterEqual(len(blocks), 4)
        with open(SUITE.data + "/client/credentials.json", encoding="utf-8") as file:
            secret = json.load(file)["department"]
        script = "set -euo pipefail\n" + JQ + "curl() { command curl --fail-with-body \"$@\"; echo; }\n"
        script += "\n".join(blocks)
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "FADU": f"http://{SUITE.host}:{SUITE.port}", "SECRET": secret})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.assertEqual(answers[0]["record"]["title"], "邻里排水纠纷（示例）")
        self.assertIn(answers[0]["name"], [record["name"] for record in answers[1]["records"]])
        self.assertEqual([a["title"] for a in answers if a.get("code") == "421221106"], ["潘家湾镇"] * 2)


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
