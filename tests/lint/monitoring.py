#!/usr/bin/env python3
"""Rules, runbooks and metrics say the same: every alert has its section in docs/operations.md, its test and its
severity; every metric that a rule names is exported; every metric that is exported is in the manual.

tests/lint/monitoring.py [ROOT] | --self-test
"""
import glob
import os
import re
import sys
import tempfile

RULES = "deploy/prometheus/rules"
TESTS = "deploy/prometheus/tests"
MANUAL = "docs/operations.md"
PARTS = ("**Means.**", "**Look.**", "**Do.**")
SEVERITIES = ("critical", "warning")
WORDS = {"or", "and", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
# Made by Prometheus itself.
OWN = {"up"}
# A name given to the registry: Gauge("fadu_…", count("fadu_…", CounterOf("fadu_…", .Name("grpc_…".
GIVEN = re.compile(r'(?:[Gg]auge|[Cc]ount|CounterOf|Name)\(\s*"((?:fadu|grpc)_[a-z0-9_]+)"')
ROW = re.compile(r"^\|(.*?)\|", re.M)
NAME = re.compile(r"`((?:fadu|grpc)_[a-z0-9_]+)[`{]")


def metrics_of(expression):
    """The names of metrics in a PromQL expression."""
    text = re.sub(r'"[^"]*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
    text = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", text)
    names = re.findall(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()", text)
    return {name for name in names if name not in WORDS}


def documented_metrics(manual):
    """The names in the first column of the manual's tables."""
    return [name for cell in ROW.findall(manual) for name in NAME.findall(cell)]


def exported_metrics(root):
    """The names that the sources give to the registry."""
    names = set()
    for top in ("common", "services"):
        for path in glob.glob(os.path.join(root, top, "**", "*.cc"), recursive=True):
            if not path.endswith("_test.cc"):
                with open(path, encoding="utf-8") as file:
                    names |= set(GIVEN.findall(file.read()))
    return names


def sections(manual):
    """Text under each heading of the third level, by heading."""
    blocks = re.split(r"^(?=#{1,3} )", manual, flags=re.M)
    return dict(match.groups() for match in (re.match(r"### (\S+)\n(.*)", block, re.S) for block in blocks) if match)


def load(root, folder):
    import yaml  # only where there is something to load: the self-test of others runs without
    found = []
    for path in sorted(glob.glob(os.path.join(root, folder, "*.yml"))):
        with open(path, encoding="utf-8") as file:
            found.append((os.path.relpath(path, root), yaml.safe_load(file)))
    return found


def tested_alerts(root):
    """Alerts that some test expects to fire."""
    return {check["alertname"] for _, file in load(root, TESTS) for test in file["tests"]
            for check in test.get("alert_rule_test", []) if check.get("exp_alerts")}


def check_tree(root):
    problems = []
    with open(os.path.join(root, MANUAL), encoding="utf-8") as file:
        manual = file.read()
    rules = [(path, rule) for path, file in load(root, RULES) for group in file["groups"] for rule in group["rules"]]
    exported = exported_metrics(root)
    documented = documented_metrics(manual)
    known = exported | OWN | {rule["record"] for _, rule in rules if "record" in rule}
    headings = sections(manual)
    alerts = set()
    tested = tested_alerts(root)
    for path, rule in rules:
        name = rule.get("alert") or rule.get("record")
        for metric in metrics_of(rule["expr"]):
            if metric not in known and re.sub(r"_(bucket|count|sum)$", "", metric) not in known:
                problems.append(f"{path}: {name} names {metric}, which nothing exports")
        if "alert" not in rule:
            continue
        alerts.add(name)
        if rule.get("labels", {}).get("severity") not in SEVERITIES:
            problems.append(f"{path}: {name} has no severity of {', '.join(SEVERITIES)}")
        if not rule.get("annotations", {}).get("summary"):
            problems.append(f"{path}: {name} has no summary")
        if rule.get("annotations", {}).get("runbook") != f"{MANUAL}#{name.lower()}":
            problems.append(f"{path}: the runbook of {name} is {MANUAL}#{name.lower()}")
        if name not in headings:
            problems.append(f"{MANUAL}: no section {name}")
        for part in PARTS:
            if part not in headings.get(name, part):
                problems.append(f"{MANUAL}: {name} lacks {part}")
        if name not in tested:
            problems.append(f"{TESTS}: nothing makes {name} fire")
    problems += [f"{MANUAL}: {name} is no alert" for name in headings if name.startswith("Fadu") and name not in alerts]
    problems += [f"{MANUAL}: {name} is exported and not listed" for name in sorted(exported - set(documented))]
    problems += [f"{MANUAL}: {name} is listed and nothing exports it" for name in documented if name not in exported]
    return problems


def self_test():
    rule = ("groups: [{name: g, rules: [{record: 'a:b', expr: 'sum by (x) (rate(fadu_good{y=\"z\"}[5m]))'}, "
            "{alert: FaduGood, expr: 'a:b > 1', labels: {severity: warning}, "
            "annotations: {summary: s, runbook: docs/operations.md#fadugood}}]}]\n")
    test = "tests: [{alert_rule_test: [{alertname: FaduGood, exp_alerts: [{exp_labels: {}}]}]}]\n"
    manual = "| metric | meaning |\n|---|---|\n| `fadu_good{y}` | good |\n\n### FaduGood\n\n**Means.** m\n\n**Look.** l\n\n**Do.** d\n"
    good = {RULES + "/a.yml": rule, TESTS + "/a.yml": test, MANUAL: manual, "common/a.cc": 'Gauge("fadu_good");\n'}
    plants = [
        ("names fadu_bad", RULES + "/a.yml", "fadu_good", "fadu_bad"),
        ("severity", RULES + "/a.yml", "severity: warning", "severity: dire"),
        ("summary", RULES + "/a.yml", "summary: s, ", ""),
        ("runbook", RULES + "/a.yml", "#fadugood", "#elsewhere"),
        ("no section", MANUAL, "### FaduGood", "### FaduGone"),
        ("lacks **Look.**", MANUAL, "**Look.** l", "look"),
        ("nothing makes", TESTS + "/a.yml", "[{exp_labels: {}}]", "[]"),
        ("exported and not listed", "common/a.cc", "(", '("fadu_more"); Gauge('),
        ("nothing exports it", MANUAL, "good |", "good |\n| `fadu_none` | none |"),
    ]
    for expected, path, old, new in [("", MANUAL, "", "")] + plants:
        with tempfile.TemporaryDirectory() as root:
            for name, text in good.items():
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(text.replace(old, new, 1) if name == path and old else text)
            found = check_tree(root)
        if not expected and found:
            sys.exit(f"the check finds what is not wrong: {found}")
        if expected and not any(expected in problem for problem in found):
            sys.exit(f"the check misses what was planted: {expected}; it says {found}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        sys.exit(0)
    found = check_tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found))
    sys.exit(1 if found else 0)
