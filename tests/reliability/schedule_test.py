#!/usr/bin/env python3
"""The schedule of a fault test follows from its seed, and points.txt names each point once."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faults  # noqa: E402
import harness  # noqa: E402
import schedule  # noqa: E402

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")


class ScheduleTest(unittest.TestCase):
    def test_a_seed_gives_the_same_strikes_again(self):
        for part in harness.PARTS.values():
            self.assertEqual(part(7, 20), part(7, 20))

    def test_another_seed_gives_others(self):
        for part in harness.PARTS.values():
            self.assertNotEqual(part(7, 20), part(8, 20))

    def test_every_kind_is_struck_as_often_as_asked(self):
        kinds = [strike.kind for strike in harness.kill_strikes(3, 20)]
        self.assertEqual({kind: kinds.count(kind) for kind in set(kinds)},
                         {"fadu": 20, "postgres": 20, "backend": 20, "both": 4})

    def test_some_strikes_fall_at_once_and_none_too_late(self):
        after = [strike.after for strike in harness.kill_strikes(3, 200)]
        self.assertEqual(min(after), 0)
        self.assertLess(max(after), schedule.LATEST)

    def test_a_group_holds_every_point_once(self):
        points = {f"p{i}" for i in range(20)}
        groups = schedule.point_groups(1, points, 8)
        self.assertEqual(sorted(point for group in groups for point in group), sorted(points))
        self.assertEqual([len(group) for group in groups], [8, 8, 4])

    def test_the_known_points_are_named_once(self):
        with open(os.path.join(harness.HERE, "points.txt"), encoding="utf-8") as file:
            lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
        self.assertEqual(len(lines), len(set(lines)))

    def test_every_kind_says_which_test_of_the_programme_it_is(self):
        for kind in faults.KINDS.values():
            self.assertRegex(kind.__doc__, r"R-\d")

    def test_a_strike_never_falls_on_the_test_itself(self):
        class Nobody:
            def postmaster(self):
                return 0

        with self.assertRaises(RuntimeError):
            faults.postgres(Nobody(), schedule.Strike("postgres", 0, "", dice=0))

    def test_the_schedule_is_printed_on_demand(self):
        said = subprocess.run([RUN, "--rounds", "2", "--seed", "9", "--schedule"], capture_output=True, check=True,
                              encoding="utf-8").stdout.splitlines()
        self.assertEqual(said[0], "seed 9")
        self.assertIn(f"kills: {harness.kill_strikes(9, 2)[0]}", said)


if __name__ == "__main__":
    unittest.main()
