#!/usr/bin/env python3
"""Random rubrics over random evidence: the engine must come to what forms.py comes to, to the last digit.

    rubric_oracle.py build/release/fadu                 1,000 cases
    rubric_oracle.py build/release/fadu --cases 100000 --seed 7

A case is one line scored for one unit, or a unit's total. Each scenario is a file that `fadu rubric test` runs; one
that differs is kept in --keep with its seed. Exit code 0: all agree.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import forms  # noqa: E402

YEAR = 2024
AREAS = ["421221106200", "421221106201", "421221107200", "421221107201"]
OUTCOMES = ["SETTLED", "TERMINATED", "WITHDRAWN"]
FIGURES = ["a", "b", "c", "d"]
COMPARISONS = ["at_least", "more_than", "at_most", "less_than", "equal"]


def text(value):
    """A Fraction with at most four places as a decimal."""
    scaled = value * 10000
    assert scaled.denominator == 1, value
    sign = "-" if scaled < 0 else ""
    whole, rest = divmod(abs(scaled.numerator), 10000)
    return sign + (str(whole) if rest == 0 else f"{whole}.{rest:04d}".rstrip("0"))


class Make:
    """One random scenario: a world, a rubric in two spellings, and what must come out."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.asked = set()

    # ---- pieces

    def points(self, most=10):
        return F(self.r.randint(1, most * 20), 20)

    def number(self, most=12):
        return F(self.r.randint(0, most * 4), 4)

    def source(self, figures=True, ratio=False):
        """(as the oracle reads it, as the rubric says it)"""
        r = self.r
        outcome = r.choice(OUTCOMES)
        some = {"kind": "facts", "type": "disputes", "where": {"outcome": outcome}}
        every = {"kind": "facts", "type": "disputes"}
        if ratio:
            return (
                {"kind": "ratio", "above": some, "below": every},
                f"count(disputes where outcome = {outcome}) / count(disputes)",
            )
        choices = [
            (every, "count(disputes)"),
            (some, f"count(disputes where outcome = {outcome})"),
            ({"kind": "facts", "type": "educationEvents"}, "count(educationEvents)"),
            ({"kind": "facts", "type": "disputes", "sum": "people"}, "sum(disputes.people_count)"),
        ]
        if figures:
            key = r.choice(FIGURES)
            choices += [({"kind": "figure", "key": key}, f"figure({key})")] * 3
        return r.choice(choices)

    def condition(self):
        """A yes or no that people ruled, or a count."""
        if self.r.random() < 0.5:
            key = self.r.choice(["p", "q"])
            self.asked.add(key)
            return (
                {"source": {"kind": "ruling", "key": key}, "comparison": "at_least", "threshold": F(1)},
                {"measure": f"ruling({key})", "at_least": "1"},
            )
        source, said = self.source(figures=False)
        comparison = self.r.choice(COMPARISONS[:4])
        threshold = F(self.r.randint(1, 5))
        return (
            {"source": source, "comparison": comparison, "threshold": threshold},
            {"measure": said, comparison: text(threshold)},
        )

    def brackets(self):
        """Ascending, without gap or overlap; the ends that are left out lie where the neighbour's do."""
        r = self.r
        ends = sorted(r.sample(range(1, 15), r.randint(2, 4)))
        tiers = []
        for low, high in zip(ends, ends[1:] + [None]):
            tier = {r.choice(["from", "over"]): F(low), "amount": self.points(5)}
            if high is not None:
                tier["high"] = F(high)
            tiers.append(tier)
        for tier, after in zip(tiers, tiers[1:]):
            tier["under" if "from" in after else "to"] = tier.pop("high")
        return tiers, [{key: text(value) for key, value in tier.items()} for tier in tiers]

    def stepping(self, both):
        step = {"step": F(self.r.randint(1, 8), 2), "step_rounding": self.r.choice(["started", "completed", "pro_rata"])}
        for clause, spell in zip(both, (lambda v: v, lambda v: text(v) if isinstance(v, F) else v)):
            clause.update({key: spell(value) for key, value in step.items()})

    # ---- forms: each fills the oracle's clause and the rubric's

    def put(self, both, **values):
        for key, value in values.items():
            both[0][key] = value
            both[1][key] = text(value) if isinstance(value, F) else value

    def measure(self, both, **how):
        both[0]["source"], both[1]["measure"] = self.source(**how)

    def l01(self, both, earns):
        both[0]["condition"], said = self.condition()
        both[1].update(said)
        self.put(both, amount=self.points(5))
        both[1]["requirement"] = "要求"

    def l02(self, both, earns):
        uniform = self.r.random() < 0.5
        parts = [[], []]
        for i in range(self.r.randint(1, 4)):
            source, said = self.source(figures=False)
            at_least = F(self.r.randint(1, 4))
            part = {"condition": {"source": source, "comparison": "at_least", "threshold": at_least}}
            spelt = {"name": f"部分{i}", "measure": said, "at_least": text(at_least)}
            if not uniform:
                part["amount"] = self.points(3)
                spelt["amount"] = text(part["amount"])
            parts[0].append(part)
            parts[1].append(spelt)
        both[0]["parts"], both[1]["parts"] = parts
        if uniform:
            self.put(both, per_missing=self.points(3))

    def l03(self, both, earns):
        self.measure(both, figures=False)
        window = self.r.choice(["year", "half_year", "quarter", "month"])
        self.put(both, required=self.r.randint(1, 4), per_missing=self.points(2), window=window)

    def l04(self, both, earns):
        self.measure(both)
        self.put(both, per=self.points(2))

    def table(self, both, name):
        classes = [[], []]
        for i in range(self.r.randint(1, 4)):
            source, said = self.source()
            per = self.points(3) + F(i, 4)
            classes[0].append({"name": f"级{i}", "source": source, "per": per})
            classes[1].append({"name": f"级{i}", "measure": said, "per": text(per)})
        both[0]["classes"], both[1][name] = classes

    def l05(self, both, earns):
        self.table(both, "classes")
        self.put(both, class_rule=self.r.choice(["every", "highest"]))

    def l06(self, both, earns):
        ratio = self.r.random() < 0.5
        self.measure(both, ratio=ratio)
        self.stepping(both)
        if not ratio:
            both[1]["unit"] = "个"
        self.put(both, target=F(self.r.randint(40, 100)) if ratio else self.number(), per_step=self.points(2))
        self.put(both, side=self.r.choice(["below", "above"]), when_empty=self.r.choice(["full", "zero", "not_applicable"]))

    def l07(self, both, earns):
        ratio = self.r.random() < 0.5
        self.measure(both, ratio=ratio)
        comparison = self.r.choice(COMPARISONS[:4])
        threshold = F(self.r.randint(1, 100)) if ratio else F(self.r.randint(1, 10))
        both[0].update(comparison=comparison, threshold=threshold)
        both[1][comparison] = text(threshold)
        self.put(both, amount=self.points(5))
        if ratio:
            self.put(both, when_empty=self.r.choice(["full", "zero", "not_applicable"]))

    def l08(self, both, earns):
        self.measure(both)
        both[0]["tiers"], both[1]["tiers"] = self.brackets()
        if self.r.random() < 0.3:
            self.put(both, cumulative=True)

    def l09(self, both, earns):
        self.measure(both)
        self.put(both, most=self.points(10), target=F(self.r.randint(5, 20)))
        if self.r.random() < 0.4:
            self.put(both, floor=F(self.r.randint(1, 4)), base=both[0]["most"] / 2)

    def l10(self, both, earns):
        self.measure(both)
        self.put(both, per=self.points(2))
        if self.r.random() < 0.5:
            self.put(both, over=F(self.r.randint(1, 4)))

    def l11(self, both, earns):
        self.measure(both)
        self.stepping(both)
        self.put(both, target=F(self.r.randint(1, 8)), points=self.points(5), up_per=self.points(2), down_per=self.points(2))
        if self.r.random() < 0.5:
            self.put(both, most=both[0]["points"] + self.points(5))
        if self.r.random() < 0.5:
            self.put(both, least=-self.points(5))

    def l12(self, both, earns):
        self.measure(both)
        baseline = self.r.choice(["last_year", "mean_2", "quota"])
        self.put(both, baseline=baseline, compare=self.r.choice(["count", "percent"]), per_step=self.points(1))
        self.stepping(both)
        both[0]["quota"] = F(self.r.randint(1, 9))
        both[0]["per_count"] = F(0)
        if baseline == "quota":
            both[1]["quota"] = text(both[0]["quota"])
        elif self.r.random() < 0.5:
            self.put(both, per_count=self.points(2))
        if self.r.random() < 0.3:
            self.put(both, more_is_better=True)
        both[0]["better"] = []
        if self.r.random() < 0.5:
            both[0]["better"], both[1]["better"] = self.brackets()
        self.put(both, when_no_baseline=self.r.choice(["full", "not_applicable"]))

    def l13(self, both, earns):
        self.measure(both)
        self.put(both, above=self.points(3), below=self.points(3))
        if self.r.random() < 0.5:
            self.put(both, peers="town")
        if self.r.random() < 0.4:
            self.put(both, without_own=True)
        if self.r.random() < 0.4:
            self.stepping(both)
        self.put(both, when_empty="not_applicable")

    def l14(self, both, earns):
        self.measure(both)
        self.put(both, first=self.points(10), per_rank=self.points(2), ties=self.r.choice(["same", "share", "average"]))

    def l15(self, both, earns):
        self.put(both, min=-self.points(3), max=self.points(3))
        both[1]["authority"] = "镇党委"

    def l17(self, both, earns):
        self.put(both, max=self.points(10))

    def l18(self, both, earns):
        keys = self.r.sample(FIGURES, 3)
        for name, key in zip(("valid", "positive", "unsure"), keys):
            both[0][name] = {"kind": "figure", "key": key}
        self.stepping(both)
        steps = {key: both[1].pop(key) for key in ("step", "step_rounding")}
        both[0].update(target=F(self.r.randint(60, 100)), per_step=self.points(1), minimum_sample=self.r.randint(1, 6))
        both[0]["when_small"] = self.r.choice(["full", "zero", "not_applicable"])
        steps.update(what="满意度", target=text(both[0]["target"]), per_step=text(both[0]["per_step"]))
        source = {f"{name}_measure": f"figure({key})" for name, key in zip(("valid", "positive", "unsure"), keys)}
        both[1].update(minimum_sample=both[0]["minimum_sample"], when_small=both[0]["when_small"], steps=steps)
        both[1]["sources"] = [dict(name="问卷", **source)]

    def l19(self, both, earns):
        self.table(both, "levels")

    def l20(self, both, earns):
        self.table(both, "levels")
        if self.r.random() < 0.5:
            self.put(both, doubled_from=self.r.choice(both[0]["classes"])["name"])

    def l21(self, both, earns):
        self.put(both, scheme=self.r.choice(["x", "y"]))
        if self.r.random() < 0.5:
            self.put(both, convert_to=self.points(10))
        else:
            both[0].update({"pass": F(85), "fail": self.points(2), "per_below": self.points(1)})
            both[1].update({"pass": "85", "fail": text(both[0]["fail"]), "per_below": text(both[0]["per_below"])})

    LOSES = ("L03", "L04", "L05", "L06", "L12", "L13", "L18", "L20")
    SIGNED = ("L11", "L12", "L13", "L15", "L18", "L21")
    GIVES = ("L10", "L19")
    ONE_NUMBER = ("L04", "L07", "L08", "L09", "L11")

    def clause(self, name, earning):
        r = self.r
        earns = name in self.GIVES + ("L11", "L15") or (name not in self.LOSES and earning)
        both = [{"form": name, "earns": earns}, {"form": name, "what": "事项"}]
        if name in ("L01", "L02"):
            both[1].pop("what")
        if name == "L02":
            both[1]["what"] = "部分"
        getattr(self, name.lower())(both, earns)
        if name in ("L04", "L06", "L07", "L08", "L09", "L10", "L11", "L12") and r.random() < 0.3:
            self.put(both, when_unknown=r.choice(["full", "not_applicable"]))
        if name in self.ONE_NUMBER and r.random() < 0.15 and both[0].get("source", {}).get("kind") != "ratio":
            key = r.choice(FIGURES)
            both[0]["per_head"] = {"source": {"kind": "figure", "key": key}, "per": 10}
            both[1]["per_head"] = {"measure": f"figure({key})", "per": 10}
            both[0].setdefault("when_empty", "not_applicable")
            both[1].setdefault("when_empty", both[0]["when_empty"])
        if name not in self.SIGNED + self.GIVES and not earns and name != "L17":
            for kind, more in (("aggravate", "add"), ("mitigate", "less")):
                if r.random() < 0.25:
                    self.modifier(both, kind, more)
            if r.random() < 0.2:
                times = [F(1), F(2), F(3, 2)][: r.randint(1, 3)]
                figure = r.choice(FIGURES)
                both[0]["streak"] = {"figure": figure, "times": times}
                both[1]["streak"] = {"figure": figure, "times": [text(t) for t in times]}
        if r.random() < 0.3:
            self.put(both, cap=self.points(6))
        return both

    def modifier(self, both, kind, more):
        rules = [[], []]
        for i in range(self.r.randint(1, 2)):
            condition, said = self.condition()
            rule, spelt = {"condition": condition}, {"what": f"情节{i}", "when": said}
            if self.r.random() < 0.5:
                rule[more] = self.points(3)
                spelt[more] = text(rule[more])
            else:
                rule["times"] = F(2) if kind == "aggravate" else F(1, 2)
                spelt["times"] = text(rule["times"])
            rules[0].append(rule)
            rules[1].append(spelt)
        both[0][kind], both[1][kind] = rules

    # ---- lines, groups, the whole

    def line(self, i, groups):
        r = self.r
        direction = r.choice(["lose", "earn", "both"])
        maximum = F(0) if direction == "both" and r.random() < 0.5 else F(r.randint(2, 20))
        names = [r.choice([f"L{n:02d}" for n in range(1, 22) if n != 16]) for _ in range(r.randint(1, 3))]
        # A line that only earns has something to earn.
        if direction == "earn" and all(name in self.LOSES + ("L21",) for name in names):
            names.append("L01")
        earning = direction != "lose" or all(name == "L17" for name in names)
        clauses = [self.clause(name, earning) for name in names]
        if maximum:
            maximum = max([maximum] + [F(math.ceil(c[0]["max"])) for c in clauses if c[0]["form"] == "L17"])
        group = r.choice([""] + groups)
        line = {"id": str(i), "group": group, "max": maximum, "direction": direction, "clauses": [c[0] for c in clauses]}
        said = {"id": str(i), "direction": direction, "clauses": [c[1] for c in clauses]}
        if group:
            said["group"] = group
        if maximum:
            said["max"] = text(maximum)
        if r.random() < 0.15:
            condition, spelt = self.condition()
            line["zero_when"] = [condition]
            said["zero_when"] = [dict(requirement="情形", **spelt)]
        if r.random() < 0.15:
            line["not_applicable"], said["not_applicable"] = self.condition()
        return line, said

    def group(self, name):
        r = self.r
        group = {"id": name, "missing": r.choice(["drop", "scale", "full"])}
        if r.random() < 0.4:
            group["at_most"] = F(r.randint(5, 30))
        if r.random() < 0.3:
            group["at_least"] = -F(r.randint(0, 10))
        if r.random() < 0.3:
            group["convert_to"] = F(r.randint(5, 50))
            group["convert_from"] = F(r.randint(5, 50))
        said = {key: text(value) if isinstance(value, F) else value for key, value in group.items()}
        said["title"] = name
        return group, said

    def world(self):
        r = self.r
        facts, said = [], []
        for area in AREAS:
            for year in (YEAR, YEAR, YEAR - 1, YEAR - 2):
                for _ in range(r.randint(0, 4)):
                    month, people = r.randint(1, 12), r.randint(1, 9)
                    outcome = r.choice(OUTCOMES)
                    facts.append({"type": "disputes", "area": area, "year": year, "month": month, "outcome": outcome, "people": people})
                    values = {"found_date": f"{year}-{month:02d}-15", "outcome": outcome.lower(), "people_count": people}
                    said.append({"type": "disputes", "area": area, "values": values})
                for _ in range(r.randint(0, 2)):
                    month = r.randint(1, 12)
                    facts.append({"type": "educationEvents", "area": area, "year": year, "month": month})
                    said.append({"type": "educationEvents", "area": area, "values": {"held_date": f"{year}-{month:02d}-15"}})
        # The order in which evidence comes says nothing.
        r.shuffle(said)
        places = [(a, k, y) for a in AREAS for k in FIGURES for y in range(YEAR - 2, YEAR + 1)]
        figures = {place: self.number() for place in places if r.random() < 0.8}
        rulings = {(a, k): F(r.randint(0, 1)) for a in AREAS for k in ("p", "q") if r.random() < 0.7}
        results = {(a, s): {"score": F(r.randint(60, 100)), "full": F(100)} for a in AREAS for s in ("x", "y") if r.random() < 0.8}
        world = {"year": YEAR, "areas": AREAS, "facts": facts, "figures": figures, "rulings": rulings, "results": results}
        return world, said

    def decide(self, rubric):
        """Marks and decisions on the lines there are."""
        r = self.r
        marks = []
        for line in rubric["lines"]:
            for i, clause in enumerate(line["clauses"]):
                for area in AREAS:
                    if clause["form"] == "L17" and r.random() < 0.9:
                        points = F(r.randint(0, int(clause["max"] * 10000)), 10000)
                        clause.setdefault("given", {})[area] = points
                        marks.append({"area": area, "line": line["id"], "clause": i, "points": text(points)})
                    if clause["form"] == "L15" and r.random() < 0.6:
                        clause.setdefault("given", {})[area] = F(r.randint(-80, 80), 20)
        return marks

    def scenario(self):
        r = self.r
        groups = [self.group(name) for name in ("g", "h")]
        lines = [self.line(i, ["g", "h"]) for i in range(r.randint(4, 12))]
        used = [pair for pair in groups if any(line["group"] == pair[0]["id"] for line, _ in lines)]
        rounding = {"places": r.randint(0, 4), "mode": r.choice(["half_up", "cut"]), "at": r.choice(["line", "total"])}
        rubric = {"lines": [line for line, _ in lines], "groups": [group for group, _ in used], "rounding": rounding}
        world, facts = self.world()
        marks = self.decide(rubric)
        said = {"rounding": rounding, "lines": [line for _, line in lines], "groups": [group for _, group in used]}
        said["rulings"] = [{"key": k, "what": k, "kind": "yes_no", "certified_by": "镇"} for k in sorted(self.asked)]
        said["ranking"] = {"decided_by": "县", "decided_date": "2024-01-01", "document": "文"}
        scenario = {"year": YEAR, "closed": "true", "rubric": said, "areas": [{"code": a} for a in AREAS], "facts": facts, "marks": marks}
        scenario["figures"] = [{"area": a, "key": k, "year": y, "value": text(v)} for (a, k, y), v in world["figures"].items()]
        scenario["rulings"] = [{"area": a, "key": k, "value": text(v)} for (a, k), v in world["rulings"].items() if k in self.asked]
        scenario["results"] = [
            {"area": a, "scheme": s, "score": text(v["score"]), "full": text(v["full"])} for (a, s), v in world["results"].items()
        ]
        scenario["adjustments"] = [
            {"area": area, "line": line["id"], "clause": i, "points": text(points)}
            for line in rubric["lines"]
            for i, clause in enumerate(line["clauses"])
            if clause["form"] == "L15"
            for area, points in clause.get("given", {}).items()
        ]
        scenario["expect"], cases = self.expect(world, rubric)
        # An empty list is nothing to say.
        scenario["rubric"] = {key: value for key, value in said.items() if value != []}
        return {key: value for key, value in scenario.items() if value != []}, cases

    def expect(self, world, rubric):
        expected, cases = [], 0
        for area in AREAS:
            lines, total = forms.score(world, area, rubric)
            wanted = []
            for line in rubric["lines"]:
                done = lines[line["id"]]
                places = rubric["rounding"]["places"]
                shown = forms.rounded(done.points, places, rubric["rounding"]["mode"])
                wanted.append({"id": line["id"], "status": done.status, "points": text(shown)})
            expected.append({"area": area, "total": text(total), "lines": wanted})
            cases += len(wanted) + 1
        return expected, cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fadu")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="folder for scenarios that differ")
    options = parser.parse_args()
    cases, seed, different = 0, options.seed, 0
    with tempfile.TemporaryDirectory() as folder:
        while cases < options.cases:
            files = {}
            while len(files) < 50 and cases < options.cases:
                scenario, count = Make(seed).scenario()
                path = os.path.join(folder, f"seed-{seed}.yaml")
                with open(path, "w", encoding="utf-8") as out:
                    json.dump(scenario, out, ensure_ascii=False, indent=1)
                files[path] = scenario
                cases += count
                seed += 1
            ran = subprocess.run(
                [options.fadu, "rubric", "test", *files, "-o", "jsonl"], capture_output=True, text=True, check=False
            )
            if ran.returncode == 0:
                continue
            different += 1
            print(ran.stdout[:20000], ran.stderr[:2000], sep="\n")
            if options.keep:
                os.makedirs(options.keep, exist_ok=True)
                for path in files:
                    if os.path.basename(path) in ran.stdout:
                        os.replace(path, os.path.join(options.keep, os.path.basename(path)))
    print(f"{cases} cases, seeds {options.seed} to {seed - 1}: " + ("all agree" if not different else "DIFFERENT"))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
