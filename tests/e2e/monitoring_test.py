#!/usr/bin/env python3
"""A real Prometheus scrapes the running suite with the rules that ship.

monitoring_test.py FADU
"""
import json
import os
import re
import subprocess
import sys
import unittest
import urllib.parse

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lint import monitoring  # noqa: E402
from support.suite import Suite, fetch, free_port, temporary_folder, wait_until  # noqa: E402

FADU = "build/release/fadu"


class Prometheus:
    """Debian's Prometheus on a free port, with the configuration that ships and a faster clock."""

    def __init__(self, folder, target):
        with open("deploy/prometheus/prometheus.yml", encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [os.path.abspath(os.path.join("deploy/prometheus", path))
                                for path in config["rule_files"]]
        config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
        path = os.path.join(folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(config, file)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(os.path.join(folder, "prometheus.log"), "wb")  # closed with the object
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address={self.url[len('http://'):]}", "--log.level=warn"],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()

    def get(self, path, **parameters):
        """The data of an answer; none while nobody answers."""
        try:
            return json.loads(fetch(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))["data"]
        except OSError:
            return None

    def query(self, expression):
        """The samples by their labels, without the name."""
        data = self.get("query", query=expression)
        return {tuple(sorted((k, v) for k, v in sample["metric"].items() if k != "__name__")): float(sample["value"][1])
                for sample in (data or {"result": []})["result"]}

    def rules(self):
        data = self.get("rules")
        return [rule for group in (data or {"groups": []})["groups"] for rule in group["rules"]]


class Monitoring(unittest.TestCase):
    """The sample county, demonstrated on a suite that is scraped."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        cls.suite = cls.enterClassContext(Suite(FADU, cls.folder, {"monitor_seconds": 1}))
        cls.suite.run("demo", "--exit")
        cls.prometheus = cls.enterClassContext(Prometheus(cls.folder, cls.suite.endpoints()["metrics"]))

    def wait_for(self, expression, fits):
        wait_until(expression, lambda: fits(self.prometheus.query(expression)))

    def test_what_is_exposed_satisfies_promtool(self):
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.suite.metrics(), encoding="utf-8",
                                 capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def test_what_is_exposed_is_what_the_manual_lists(self):
        exposed = {name for name in re.findall(r"^# TYPE (\w+)", self.suite.metrics(), re.M)
                   if name.startswith(("fadu_", "grpc_"))}
        with open("docs/operations.md", encoding="utf-8") as file:
            self.assertEqual(exposed, set(monitoring.documented_metrics(file.read())))

    def test_targets_are_up_and_every_recording_rule_gives_values(self):
        targets = wait_until("a target", lambda: [t for t in (self.prometheus.get("targets") or {"activeTargets": []})[
            "activeTargets"] if t["health"] == "up"])
        self.assertEqual([target["labels"]["job"] for target in targets], ["fadu"])
        self.suite.run("doctor")  # some calls that rate() can see
        recording = [rule["name"] for rule in wait_until("rules", self.prometheus.rules) if rule["type"] == "recording"]
        self.assertGreater(len(recording), 5)
        for name in recording:
            self.wait_for(name, bool)

    def test_values_are_those_of_the_sample(self):
        # All 12 accounts of the sample are confirmed; the founding report has 382 of the disputes.
        self.wait_for('fadu_records{collection="accounts",review_state="CONFIRMED"}',
                      lambda samples: list(samples.values()) == [12])
        self.wait_for('fadu_records{collection="disputes",review_state="CONFIRMED"} > 382', bool)
        self.wait_for('fadu_replays_total{result="match"} > 0', bool)
        self.wait_for('service:fadu_run_age_seconds:max > 0 and service:fadu_run_age_seconds:max < 600', bool)
        services = set(self.suite.endpoints()) - {"metrics"}
        self.wait_for('service:fadu_call_errors:ratio_rate5m == 0',
                      lambda samples: {dict(labels)["service"] for labels in samples} == services)

    # Disputes of 2024 that are still open are past their month; else a healthy suite alarms nobody.
    def test_a_healthy_suite_raises_no_alarm_but_for_what_the_sample_left_open(self):
        self.wait_for('fadu_deadlines_missed{collection="disputes"} > 0', bool)

        def alarmed():
            """The rules, once all are evaluated and the one alert is there."""
            rules = self.prometheus.rules()
            evaluated = all(rule["health"] != "unknown" for rule in rules)
            return evaluated and any(rule.get("alerts") for rule in rules) and rules

        rules = wait_until("an alert", alarmed)
        self.assertEqual({rule["health"] for rule in rules}, {"ok"})
        self.assertEqual({rule["name"] for rule in rules if rule.get("alerts")}, {"FaduDeadlineMissed"})


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.access(sys.argv[1], os.X_OK):
        FADU = sys.argv.pop(1)
    unittest.main()
