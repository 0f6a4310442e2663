#!/usr/bin/env python3
"""The oracle can fail: it is handed what was tampered with, and counts each damage once.

oracle_test.py BUILD
"""
import copy
import os
import subprocess
import sys
import unittest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import oracle  # noqa: E402
from deployment import OneProgram  # noqa: E402
from harness import Harness  # noqa: E402
from schedule import Strike  # noqa: E402
from support.suite import temporary_folder  # noqa: E402

BUILD = "build/release"
COUNTY = "421221"


def world():
    """A log and a state that agree: two disputes, one of them changed, and two numbered documents."""
    def name(record):
        kind = "disputes" if record.startswith("d") else "normativeDocuments"
        return f"counties/{COUNTY}/{kind}/{record}"

    log, state = [], []
    made = [("w1", "mediation", "d1", "create", 1), ("w2", "mediation", "d1", "update", 2),
            ("w3", "mediation", "d2", "create", 1), ("w4", "legality", "n1", "create", 1),
            ("w5", "legality", "n2", "create", 1)]
    ordinals = {"n1": 1, "n2": 2}
    seqs = {"mediation": 0, "legality": 0}
    for wish, service, record, operation, revision in made:
        numbers = [f"示〔2024〕{ordinals[record]}号"] if record in ordinals else []
        answer = {"id": wish, "names": [name(record)], "revisions": [revision], "numbers": numbers}
        log += [{"at": "ask", "id": wish, "kind": operation, "items": 1, "follows": 0, "refused": False},
                {"at": "ack", **answer}, {"at": "again", **answer}]
        seqs[service] += 1
        at = {"service": service, "county": COUNTY, "seq": seqs[service]}
        state.append({"is": "event", **at, "request": wish, "operation": operation, "name": name(record),
                      "revision": revision, "follows": False})
        fact = {"id": record, "revision": revision, "tombstone": False, "digest": wish}
        state.append({"is": "fact", **at, **fact})
        state.append({"is": "projection", **at, **fact, "current": wish != "w1"})
    for record, revision, title in (("d1", 2, "w2"), ("d2", 1, "w3"), ("n1", 1, "w4"), ("n2", 1, "w5")):
        line = {"is": "record", "service": "legality" if record in ordinals else "mediation", "county": COUNTY,
                "name": name(record), "revision": revision, "deleted": False, "title": title}
        if record in ordinals:
            line.update(symbol="示", year=2024, ordinal=ordinals[record])
        state.append(line)
    for service, events in seqs.items():
        state.append({"is": "chain", "service": service, "county": COUNTY, "events": events, "why": ""})
    state.append({"is": "sync", "county": COUNTY, "why": ""})
    return log, state


class OracleTest(unittest.TestCase):
    def setUp(self):
        self.log, self.state = world()

    def find(self, kind, **values):
        lines = self.state if kind in ("record", "event", "fact", "projection", "chain", "sync") else self.log
        key = "is" if lines is self.state else "at"
        return next(line for line in lines if line[key] == kind and values.items() <= line.items())

    def wrong(self):
        """What is counted as wrong."""
        counts, _ = oracle.judge(self.log, self.state)
        return {count: counts[count] for count in oracle.WRONG if counts[count]}

    def test_a_world_that_agrees_is_good(self):
        counts, sentences = oracle.judge(self.log, self.state)
        self.assertEqual((counts["acknowledged"], counts["numbers"], sentences), (5, 2, []))

    def test_a_record_that_is_not_there_is_lost(self):
        self.state.remove(self.find("record", title="w3"))
        self.assertEqual(self.wrong(), {"lost": 1, "half_written": 1})

    def test_a_revision_that_was_acknowledged_and_undone_is_lost(self):
        self.find("record", title="w2").update(revision=1, title="w1")
        self.assertEqual(self.wrong(), {"lost": 1, "half_written": 1})

    def test_an_acknowledgement_without_anything_stored_is_lost(self):
        self.log += [{"at": "ask", "id": "w9", "kind": "create", "items": 1, "follows": 0, "refused": False},
                     {"at": "ack", "id": "w9", "names": ["counties/421221/disputes/d9"], "revisions": [1],
                      "numbers": []}]
        self.assertEqual(self.wrong(), {"lost": 1})

    def test_a_wish_nobody_answered_may_be_stored_or_not(self):
        self.log.append({"at": "ask", "id": "w9", "kind": "create", "items": 1, "follows": 0, "refused": False})
        self.log = [line for line in self.log if line["id"] != "w3" or line["at"] == "ask"]
        self.assertEqual(self.wrong(), {})

    def test_two_records_of_one_wish_are_one_duplicate(self):
        twin = copy.deepcopy(self.find("record", title="w3"))
        twin["name"] += "x"
        self.state.append(twin)
        self.assertEqual(self.wrong(), {"duplicated": 1, "half_written": 1})

    def test_two_events_of_one_wish_are_one_duplicate(self):
        for kind in ("event", "fact", "projection"):
            twin = copy.deepcopy(self.find(kind, service="mediation", seq=3))
            twin["seq"] = 4
            if kind == "event":
                twin["name"] += "x"
            else:
                twin["id"] += "x"
            self.state.append(twin)
        self.find("chain", service="mediation")["events"] = 4
        self.assertEqual(self.wrong(), {"duplicated": 1, "half_written": 1})

    def test_a_place_missing_in_log_and_feed_is_one_gap(self):
        self.log = [line for line in self.log if line["id"] != "w1"]
        for kind in ("event", "fact", "projection"):
            self.state.remove(self.find(kind, service="mediation", seq=1))
        self.assertEqual(self.wrong(), {"gaps": 1, "half_written": 1, "chains_broken": 1})

    def test_an_event_that_the_feed_leaves_out_is_one_gap(self):
        for kind in ("fact", "projection"):
            self.state.remove(self.find(kind, service="mediation", seq=3))
        self.assertEqual(self.wrong(), {"gaps": 1})

    def test_a_number_that_was_left_out_is_one_gap(self):
        self.find("record", title="w5")["ordinal"] = 3
        self.find("ack", id="w5")["numbers"] = self.find("again", id="w5")["numbers"] = ["示〔2024〕3号"]
        self.assertEqual(self.wrong(), {"gaps": 1})

    def test_a_number_given_twice_is_a_duplicate(self):
        self.find("record", title="w5")["ordinal"] = 1
        self.find("ack", id="w5")["numbers"] = self.find("again", id="w5")["numbers"] = ["示〔2024〕1号"]
        self.assertEqual(self.wrong(), {"duplicated": 1})

    def test_half_a_batch_is_half_written(self):
        self.log = [line for line in self.log if line["id"] != "w3" or line["at"] == "ask"]
        self.find("ask", id="w3")["items"] = 2
        self.assertEqual(self.wrong(), {"half_written": 1})

    def test_a_wish_without_what_follows_from_it_is_half_written(self):
        self.find("ask", id="w3")["follows"] = 1
        self.assertEqual(self.wrong(), {"half_written": 1})

    def test_what_follows_is_no_second_effect(self):
        self.find("event", request="w2").update(request="w3", follows=True)
        self.find("ask", id="w3")["follows"] = 1
        self.log = [line for line in self.log if line["id"] != "w2"]
        self.find("record", title="w2")["title"] = "w1"
        self.assertEqual(self.wrong(), {})

    def test_a_record_that_says_something_else_is_half_written(self):
        self.find("record", title="w2")["title"] = "w1"
        self.assertEqual(self.wrong(), {"half_written": 1})

    def test_a_broken_chain_is_told(self):
        self.find("chain", service="legality")["why"] = "FAILED_PRECONDITION: the chain breaks at 2"
        self.assertEqual(self.wrong(), {"chains_broken": 1})

    def test_a_fact_that_scoring_has_differently_is_told(self):
        self.find("projection", digest="w3")["digest"] = "w1"
        self.assertEqual(self.wrong(), {"projections_differ": 1})

    def test_an_old_fact_that_still_counts_is_told(self):
        self.find("projection", digest="w1")["current"] = True
        self.assertEqual(self.wrong(), {"projections_differ": 1})

    def test_what_nobody_asked_for_is_told(self):
        self.log = [line for line in self.log if line["id"] != "w3"]
        self.assertEqual(self.wrong(), {"unasked": 1})

    def test_another_answer_to_the_same_wish_is_told(self):
        self.find("again", id="w3")["revisions"] = [2]
        self.assertEqual(self.wrong(), {"answers_differ": 1, "lost": 1})

    def test_a_refusal_that_wrote_is_told(self):
        self.log = [line for line in self.log if line["id"] != "w3" or line["at"] == "ask"]
        self.log.append({"at": "no", "id": "w3", "why": "ABORTED"})
        self.find("ask", id="w3")["refused"] = True
        self.assertEqual(self.wrong(), {"answers_differ": 1})

    def test_a_refusal_that_nobody_expected_is_told(self):
        self.log += [{"at": "ask", "id": "w9", "kind": "create", "items": 1, "follows": 0, "refused": False},
                     {"at": "no", "id": "w9", "why": "INVALID_ARGUMENT"}]
        self.assertEqual(self.wrong(), {"refused": 1})


class TamperedDatabaseTest(unittest.TestCase):
    """The same on a real database, through the RPCs: one row is taken away or added behind the program's back."""

    def test_each_damage_is_counted_once(self):
        with temporary_folder(keep_on_failure=True) as folder:
            harness = Harness(BUILD, folder, seed=5, rounds=1)
            harness.begin()
            with OneProgram(harness.fadu, folder) as deployment:
                with harness.load((COUNTY,), "--wishes", "40", callers=4):
                    pass
                self.deployment, self.harness = deployment, harness
                self.check_all()

    def check_all(self):
        self.assertEqual(self.judged(), {})
        # A session of which nothing is known but its creation; the others follow it.
        session = self.sql("SELECT min(id::text) FROM governance.session WHERE revision = 1")
        with self.subTest("one record row deleted"):
            found = self.after("governance.session", f"DELETE FROM governance.session WHERE id = '{session}'")
            self.assertEqual(found, {"lost": 1, "half_written": 1})
        with self.subTest("one record row doubled"):
            found = self.after("governance.session", f"""
              CREATE TEMP TABLE twin AS SELECT * FROM governance.session WHERE id = '{session}';
              UPDATE twin SET id = '018f0000-0000-7000-8000-0000000000fa';
              INSERT INTO governance.session SELECT * FROM twin""")
            self.assertEqual(found, {"duplicated": 1, "half_written": 1})
        with self.subTest("one position of the log and the feed missing"):
            found = self.after("governance.event", f"DELETE FROM governance.event WHERE id = '{session}'")
            self.assertEqual(found["gaps"], 1)
            self.assertEqual(found["lost"], 1)
            self.assertEqual(found["chains_broken"], 1)
        with self.subTest("one number missing"):
            document = self.sql("SELECT document_id FROM legality.issued_number ORDER BY ordinal, symbol LIMIT 1")
            found = self.after("legality.normative_document",
                               f"DELETE FROM legality.normative_document WHERE id = '{document}'")
            self.assertEqual(found["gaps"], 1)
            self.assertEqual(found["lost"], 1)
        with self.subTest("one fact that scoring forgot"):
            found = self.after("scoring.fact", f"DELETE FROM scoring.fact WHERE id = '{session}'")
            self.assertEqual(found, {"projections_differ": 1})
        self.assertEqual(self.judged(), {})

    def judged(self):
        self.harness.read_state(self.deployment)
        counts, sentences = oracle.judge(oracle.lines_of(self.harness.log), oracle.lines_of(self.harness.state))
        self.sentences = sentences
        return {count: counts[count] for count in oracle.WRONG if counts[count]}

    def after(self, table, damage):
        """What is found after the damage, which is undone again."""
        self.sql(f"CREATE TABLE public.kept AS SELECT * FROM {table}")
        self.sql(damage)
        found = self.judged()
        self.sql(f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM public.kept; DROP TABLE public.kept")
        return found

    def sql(self, text):
        return subprocess.run(
            ["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-t", "-A", "-1", "-v", "ON_ERROR_STOP=1", "-c", text,
             self.deployment.admin_dsn()], check=True, capture_output=True, encoding="utf-8").stdout.strip()


class NegativeControlTest(unittest.TestCase):
    """A database that does not wait for its own commits must be found out."""

    def test_commits_that_are_not_waited_for_are_lost_with_the_database(self):
        with temporary_folder(keep_on_failure=True) as folder:
            harness = Harness(BUILD, folder, seed=6, rounds=1)
            harness.begin()
            with open(os.path.join(folder, "data", "pg", "postgresql.conf"), "a", encoding="utf-8") as file:
                file.write("\nsynchronous_commit = off\nwal_writer_delay = 2s\n")
            with OneProgram(harness.fadu, folder) as deployment, harness.load((COUNTY,)) as load:
                for _ in range(3):
                    harness.strike(deployment, load, Strike("postgres", 50, "", dice=1))
            verdict, sentences = harness.verdict()
            self.assertGreater(verdict["lost"], 0, sentences)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = sys.argv.pop(1)
    unittest.main()
