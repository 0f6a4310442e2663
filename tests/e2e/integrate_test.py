#!/usr/bin/env python3
"""Every block of docs/howto/integrate.md, in order, in an empty folder, against a running suite; then the life of an
account on the command line.

integrate_test.py FADU

Shell blocks run in one shell; a Python block goes into the file that it names; a text block is what the shell block
before it prints, where … stands for anything.
"""
import datetime
import json
import os
import re
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.suite import Suite, temporary_folder  # noqa: E402

FADU = "build/release/fadu"
PAGE = "docs/howto/integrate.md"
MARK = "--- end of block"
LATER = str(datetime.date.today() + datetime.timedelta(days=365))


def blocks_of(page):
    """The blocks of a page: kind, name (of a file), text."""
    return re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", page, re.M | re.S)


def fits(expected, printed):
    """The lines printed are those expected."""
    pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in expected.splitlines())
    return re.fullmatch(pattern, printed.strip("\n")) is not None


class OnASuite(unittest.TestCase):
    """An empty county and an empty folder."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(temporary_folder())
        cls.suite = cls.enterClassContext(Suite(FADU, folder))
        cls.suite.run("bootstrap")
        cls.suite.run("import", "areas", "deploy/sample/jiayu-2024/areas.tsv", "--as-of", "2023-06-30")
        cls.work = os.path.join(folder, "work")
        os.mkdir(cls.work)


class Integrate(OnASuite):
    """The page, followed by somebody who has nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(PAGE, encoding="utf-8") as file:
            cls.blocks = blocks_of(file.read())
        script, cls.expected = "set -euo pipefail\n", []
        for kind, name, text in cls.blocks:
            if kind == "python":
                with open(os.path.join(cls.work, name), "a", encoding="utf-8") as file:
                    file.write(text)
            elif kind == "sh":
                script += f"{text}\necho '{MARK}'\n"
                cls.expected.append(None)
            elif kind == "text":
                cls.expected[-1] = text
        # Debian's Python has the packages; buf is where the lints have it; of other tools as they come.
        path = [os.path.dirname(os.path.abspath(FADU)), "/usr/bin", os.path.abspath("tests/lint/node_modules/.bin"),
                os.environ["PATH"]]
        cls.done = subprocess.run(
            ["bash", "-c", script], cwd=cls.work, capture_output=True, encoding="utf-8", check=False, timeout=240,
            env={**os.environ, "PATH": ":".join(path), "FADU_DATA": cls.suite.data, "PROTOS": os.path.abspath("protos")})

    def test_every_block_is_of_a_kind_that_is_run(self):
        self.assertEqual({kind for kind, _, _ in self.blocks}, {"sh", "python", "text"})
        self.assertTrue(all(name.endswith(".py") for kind, name, _ in self.blocks if kind == "python"))

    def test_every_block_runs(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)

    def test_every_block_prints_what_the_page_says(self):
        printed = self.done.stdout.split(MARK + "\n")
        self.assertGreaterEqual(sum(expected is not None for expected in self.expected), 8)
        for number, expected in enumerate(self.expected):
            if expected is not None:
                self.assertTrue(fits(expected, printed[number]),
                                f"shell block {number + 1} printed\n{printed[number]}\nand not\n{expected}")

    def test_the_secret_is_in_its_file_alone(self):
        path = os.path.join(self.work, "police.secret")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="utf-8") as file:
            secret = file.read().strip()
        self.assertRegex(secret, r"^fadu_[\w-]{43}$")
        self.assertNotIn(secret, self.done.stdout + self.done.stderr)


class Accounts(OnASuite):
    """What an administrator does with accounts."""

    def create(self, name, *words):
        return json.loads(self.suite.run("account", "create", name, "--client", *words, "-o", "json"))[0]

    def listed(self, name):
        accounts = json.loads(self.suite.run("account", "list", "--client", "-o", "json"))
        return next(account for account in accounts if account["name"] == name)

    def fails(self, words, *says):
        done = subprocess.run([FADU, *words, "--data", self.suite.data], capture_output=True, encoding="utf-8",
                              stdin=subprocess.DEVNULL, check=False)
        self.assertNotEqual(done.returncode, 0, words)
        for text in says:
            self.assertIn(text, done.stderr)

    def with_secret(self, secret, *words):
        """The exit code of a command with an account's secret."""
        path = os.path.join(self.work, "secret")
        with open(path, "w", encoding="utf-8") as file:
            file.write(secret)
        return subprocess.run([FADU, *words, "--endpoints", self.suite.endpoints_path, "--token-file", path],
                              capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, check=False)

    def test_an_account_from_its_making_to_its_end(self):
        made = self.create("县公安局接口", "--area", "421221106", "--records", "disputes,exams", "--expires", LATER)
        self.assertEqual(made["account"]["grants"], [
            {"role": "ROLE_DEPARTMENT", "area_code": "421221106", "collections": ["disputes", "exams"]}])
        listed = self.listed(made["name"])
        self.assertEqual(listed["state"], "ACCOUNT_STATE_USABLE")
        self.assertNotIn("last_used_time", listed)
        self.assertNotIn("secret", listed)

        reads = self.with_secret(made["secret"], "record", "list", "disputes")
        self.assertEqual(reads.returncode, 0, reads.stderr)
        denied = self.with_secret(made["secret"], "record", "list", "sessions")
        self.assertIn("REASON_ROLE_DENIED", denied.stderr)
        self.assertIn("last_used_time", self.listed(made["name"]))

        new = os.path.join(self.work, "new.secret")
        shown = self.suite.run("account", "rotate", made["name"], "--secret-file", new)
        with open(new, encoding="utf-8") as file:
            secret = file.read().strip()
        self.assertNotIn(secret, shown)
        self.assertIn("REASON_SECRET_REPLACED",
                      self.with_secret(made["secret"], "record", "list", "disputes").stderr)
        self.assertEqual(self.with_secret(secret, "record", "list", "disputes").returncode, 0)

        # By its number alone, as people copy it from a list.
        self.suite.run("account", "disable", made["name"].rsplit("/", 1)[1], "--reason", "项目结束")
        self.assertIn("REASON_ACCOUNT_DISABLED", self.with_secret(secret, "record", "list", "disputes").stderr)
        self.assertEqual(self.listed(made["name"])["state"], "ACCOUNT_STATE_DISABLED")

    def test_what_is_wrong_is_told_and_leaves_nothing(self):
        there = os.path.join(self.work, "there.secret")
        with open(there, "w", encoding="utf-8") as file:
            file.write("kept\n")
        words = ["account", "create", "接口", "--client"]
        scope = ["--area", "421221106", "--expires", LATER]
        self.fails([*words, *scope, "--secret-file", there], there)
        self.fails([*words, "--area", "421221106", "--secret-file", there + "2"], "REASON_CLIENT_EXPIRY")
        self.fails([*words, *scope, "--records", "dispute"], "dispute")
        self.fails([*words, *scope, "--organisation", "018f0000-0000-7000-8000-000000000001"], "REASON_GRANT_DENIED")
        self.fails([*words, "--grants", "TOWN_REVIEWER@421221106", "--expires", LATER], "REASON_GRANT_DENIED")
        self.fails([*words, "--expires", LATER], "--area")
        self.fails(["account", "create", "某人", "--area", "421221106"], "--client")
        with open(there, encoding="utf-8") as file:
            self.assertEqual(file.read(), "kept\n")
        self.assertFalse(os.path.exists(there + "2"))
        names = [a["account"]["display_name"] for a in json.loads(self.suite.run("account", "list", "-o", "json"))]
        self.assertNotIn("接口", names)


class Fits(unittest.TestCase):
    """The comparison can fail."""

    def test_another_line_does_not_fit(self):
        self.assertTrue(fits("a …\nb\n", "a 12\nb\n"))
        self.assertFalse(fits("a …\nb\n", "a 12\nc\n"))
        self.assertFalse(fits("a\n", "a\nb\n"))


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.access(sys.argv[1], os.X_OK):
        FADU = sys.argv.pop(1)
    unittest.main()
