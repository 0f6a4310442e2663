"""The rule forms once more, as plain as they can be said, in exact fractions.

Written from the closed list of rule forms and docs/rubrics.md, never from the engine: where the two differ, one
of them is wrong. Points, values and percentages are Fractions; a percentage is 95 for 95 %.
"""

import math
from fractions import Fraction as F

NO_DATA = "no_data"  # nobody has said it yet
EMPTY = "empty"  # over nothing


class Clause:
    """What one clause of one unit came to: signed points before the line's ends, or why there are none."""

    def __init__(self, points=F(0), state="scored"):
        self.points = points
        self.state = state  # scored, no_data, not_applicable


# ---- what is read ---------------------------------------------------------------------------------------------------


def days_of(year, window):
    """The windows of a year as lists of months."""
    return {
        "year": [range(1, 13)],
        "half_year": [range(1, 7), range(7, 13)],
        "quarter": [range(1, 4), range(4, 7), range(7, 10), range(10, 13)],
        "month": [[m] for m in range(1, 13)],
    }[window]


def read(world, area, source, year=None, months=range(1, 13)):
    """The value of a source: a Fraction, NO_DATA or EMPTY. A ratio is in percent."""
    year = world["year"] if year is None else year
    kind = source["kind"]
    if kind == "figure":
        return world["figures"].get((area, source["key"], year), NO_DATA)
    if kind == "ruling":
        return world["rulings"].get((area, source["key"]), NO_DATA)
    if kind == "ratio":
        above = read(world, area, source["above"], year, months)
        below = read(world, area, source["below"], year, months)
        return EMPTY if below == 0 else above * 100 / below
    found = [
        fact
        for fact in world["facts"]
        if fact["area"] == area
        and fact["type"] == source["type"]
        and fact["year"] == year
        and fact["month"] in months
        and all(fact.get(key) == value for key, value in source.get("where", {}).items())
    ]
    return F(sum(fact[source["sum"]] for fact in found)) if "sum" in source else F(len(found))


def holds(comparison, value, threshold):
    return {
        "at_least": value >= threshold,
        "more_than": value > threshold,
        "at_most": value <= threshold,
        "less_than": value < threshold,
        "equal": value == threshold,
    }[comparison]


def judge(world, area, condition):
    """True, False or None: it cannot be told."""
    value = read(world, area, condition["source"])
    if value in (NO_DATA, EMPTY):
        return None
    return holds(condition["comparison"], value, condition["threshold"])


def steps(distance, step, rounding):
    whole = distance / step
    if rounding == "completed":
        return F(math.floor(whole))
    return whole if rounding == "pro_rata" else F(math.ceil(whole))


# ---- leaf forms -----------------------------------------------------------------------------------------------------


class Unread(Exception):
    """The clause cannot be computed; `most` is what it could take or give."""

    def __init__(self, why, most, policy=None):
        super().__init__(why)
        self.why = why
        self.most = most
        self.policy = policy


def value_of(world, area, clause, most, policy=None):
    value = read(world, area, clause["source"])
    if value in (NO_DATA, EMPTY):
        raise Unread(value, most, policy)
    if "per_head" in clause:
        people = read(world, area, clause["per_head"]["source"])
        if people == NO_DATA:
            raise Unread(NO_DATA, most, policy)
        if people == 0:
            raise Unread(EMPTY, most, policy)
        value = value * clause["per_head"]["per"] / people
    return value


def inside(bracket, value):
    low = bracket.get("from", bracket.get("over"))
    high = bracket.get("to", bracket.get("under"))
    above = low is None or value > low or ("from" in bracket and value == low)
    below = high is None or value < high or ("to" in bracket and value == high)
    return above and below


def begun(bracket, value):
    low = bracket.get("from", bracket.get("over"))
    return low is None or value > low or ("from" in bracket and value == low)


def leaf(world, area, line, clause):
    """Signed points of one form: earned above zero, lost below."""
    form = clause["form"]
    line_max = line["max"]
    earning = clause["earns"]
    if form == "L01":
        met = judge(world, area, clause["condition"])
        if met is None:
            value = read(world, area, clause["condition"]["source"])
            raise Unread(value, clause["amount"])
        if met:
            return clause["amount"] if earning else F(0)
        return F(0) if earning else -clause["amount"]
    if form == "L02":
        lost = F(0)
        for part in clause["parts"]:
            there = judge(world, area, part["condition"])
            if there == earning:
                lost += part["amount"] if "amount" in part else clause["per_missing"]
        return lost if earning else -lost
    if form == "L03":
        lost = F(0)
        for months in days_of(world["year"], clause["window"]):
            held = read(world, area, clause["source"], months=months)
            lost += max(F(0), clause["required"] - held) * clause["per_missing"]
        return -lost
    if form == "L04":
        return -value_of(world, area, clause, line_max) * clause["per"]
    if form in ("L05", "L19", "L20"):
        amounts = []
        doubled = False
        for entry in clause["classes"]:
            doubled = doubled or (form == "L20" and entry["name"] == clause.get("doubled_from"))
            count = read(world, area, entry["source"])
            if count in (NO_DATA, EMPTY):
                raise Unread(count, line_max)
            amounts.append((entry["per"] * (2 if doubled else 1), count))
        if clause.get("class_rule") == "highest":
            occurred = [pair for pair in amounts if pair[1] != 0]
            amounts = [max(occurred, key=lambda pair: pair[0])] if occurred else []
        total = sum((per * count for per, count in amounts), F(0))
        return total if form == "L19" else -total
    if form == "L06":
        rate = value_of(world, area, clause, line_max, clause["when_empty"])
        distance = rate - clause["target"] if clause["side"] == "above" else clause["target"] - rate
        return -steps(max(F(0), distance), clause["step"], clause["step_rounding"]) * clause["per_step"]
    if form == "L07":
        value = value_of(world, area, clause, clause["amount"])
        met = holds(clause["comparison"], value, clause["threshold"])
        if earning:
            return clause["amount"] if met else F(0)
        return F(0) if met else -clause["amount"]
    if form == "L08":
        amounts = [b["amount"] for b in clause["tiers"]]
        value = value_of(world, area, clause, sum(amounts, F(0)) if clause.get("cumulative") else max(amounts))
        if clause.get("cumulative"):
            amount = sum((b["amount"] for b in clause["tiers"] if begun(b, value)), F(0))
        else:
            amount = next((b["amount"] for b in clause["tiers"] if inside(b, value)), F(0))
        return amount if earning else -amount
    if form == "L09":
        most = clause["most"]
        value = value_of(world, area, clause, most)
        floor, base = clause.get("floor", F(0)), clause.get("base", F(0))
        got = base + (most - base) * (value - floor) / (clause["target"] - floor)
        got = min(most, max(F(0), got))
        return got if earning else got - most
    if form == "L10":
        value = value_of(world, area, clause, line_max)
        return max(F(0), value - clause.get("over", F(0))) * clause["per"]
    if form == "L11":
        value = value_of(world, area, clause, clause.get("most", line_max))
        distance = value - clause["target"]
        count = steps(abs(distance), clause["step"], clause["step_rounding"])
        points = clause["points"] + (count * clause["up_per"] if distance > 0 else -count * clause["down_per"])
        if "most" in clause:
            points = min(points, clause["most"])
        if "least" in clause:
            points = max(points, clause["least"])
        return points
    if form == "L12":
        return trend(world, area, line, clause)
    if form == "L13":
        return benchmark(world, area, line, clause)
    if form == "L14":
        return rank(world, area, line, clause)
    if form == "L15":
        given = clause.get("given", {}).get(area, F(0))
        return min(clause["max"], max(clause["min"], given))
    if form == "L17":
        mark = clause.get("given", {}).get(area)
        if mark is None:
            raise Unread("not_yet_judged", F(0))
        return -mark if clause.get("taken") else mark if earning else mark - clause["max"]
    if form == "L18":
        valid = read(world, area, clause["valid"])
        positive = read(world, area, clause["positive"])
        unsure = read(world, area, clause["unsure"])
        if NO_DATA in (valid, positive, unsure):
            raise Unread(NO_DATA, line_max)
        if valid < clause["minimum_sample"] or valid - unsure <= 0:
            raise Unread(EMPTY, line_max, clause["when_small"])
        short = clause["target"] - positive * 100 / (valid - unsure)
        return -steps(max(F(0), short), clause["step"], clause["step_rounding"]) * clause["per_step"]
    if form == "L21":
        return imported(world, area, line, clause)
    raise ValueError(form)


def trend(world, area, line, clause):
    value = value_of(world, area, clause, line["max"])
    if clause["baseline"] == "quota":
        base = clause["quota"]
    else:
        back = {"last_year": 1, "mean_2": 2, "mean_3": 3}[clause["baseline"]]
        past = [read(world, area, clause["source"], world["year"] - b) for b in range(1, back + 1)]
        if NO_DATA in past or EMPTY in past:
            raise Unread(EMPTY, line["max"], clause["when_no_baseline"])
        base = sum(past, F(0)) / back
    worse = base - value if clause.get("more_is_better") else value - base
    if clause["compare"] == "percent":
        if base == 0:
            if worse == 0:
                return F(0)
            if clause["per_count"] == 0:
                raise Unread(EMPTY, line["max"], clause["when_no_baseline"])
            return -worse * clause["per_count"] if worse > 0 else F(0)
        worse = worse * 100 / base
    if worse <= 0:
        return next((b["amount"] for b in clause["better"] if inside(b, -worse)), F(0))
    return -steps(worse, clause["step"], clause["step_rounding"]) * clause["per_step"]


def peers_of(world, area, clause):
    town = clause.get("peers") == "town"
    return [a for a in world["areas"] if not town or a[:9] == area[:9]]


def benchmark(world, area, line, clause):
    own = value_of(world, area, clause, line["max"])
    values = []
    for peer in peers_of(world, area, clause):
        if clause.get("without_own") and peer == area:
            continue
        value = read(world, peer, clause["source"])
        if value not in (NO_DATA, EMPTY):
            values.append(value)
    if not values:
        raise Unread(EMPTY, line["max"])
    over = own - sum(values, F(0)) / len(values)
    if over == 0:
        return F(0)
    count = steps(abs(over), clause["step"], clause["step_rounding"]) if "step" in clause else 1
    return count * clause["above"] if over > 0 else -count * clause["below"]


def rank(world, area, line, clause):
    own = value_of(world, area, clause, clause["first"])
    values = [read(world, peer, clause["source"]) for peer in peers_of(world, area, clause)]
    values = [value for value in values if value not in (NO_DATA, EMPTY)]
    place = 1 + sum(1 for value in values if value > own)
    sharing = sum(1 for value in values if value == own)

    def at(where):
        return max(F(0), clause["first"] - clause["per_rank"] * (where - 1))

    if clause["ties"] == "share":
        points = sum((at(p) for p in range(place, place + sharing)), F(0)) / sharing
    elif clause["ties"] == "average":
        mean = F(place) + F(sharing - 1, 2)
        low = math.floor(mean)
        points = at(low) + (at(low + 1) - at(low)) * (mean - low)
    else:
        points = at(place)
    return points if clause["earns"] else -max(F(0), clause["first"] - points)


def imported(world, area, line, clause):
    result = world["results"].get((area, clause["scheme"]))
    most = clause.get("convert_to", line["max"])
    if result is None:
        raise Unread(NO_DATA, most)
    points = F(0)
    if "convert_to" in clause:
        got = min(most, max(F(0), most * result["score"] / result["full"]))
        points += got if clause["earns"] else got - most
    if "pass" in clause and result["score"] < clause["pass"]:
        points -= clause["fail"] + (clause["pass"] - result["score"]) * clause["per_below"]
    return points


# ---- modifiers, lines, groups ---------------------------------------------------------------------------------------


def settle(clause, unread):
    """What the rubric makes of a clause that cannot be computed."""
    if unread.why == "not_yet_judged":
        return Clause(state="not_yet_judged")
    if unread.why == NO_DATA:
        policy = clause.get("when_unknown")
        if policy is None:
            return Clause(state="no_data")
    else:
        policy = unread.policy or clause.get("when_empty")
    whole = clause.get("cap", unread.most)
    if policy == "full":
        return Clause(whole if clause["earns"] else F(0))
    if policy == "zero":
        return Clause(F(0) if clause["earns"] else -whole)
    return Clause(state="not_applicable")


def score_clause(world, area, line, clause):
    try:
        points = leaf(world, area, line, clause)
    except Unread as unread:
        result = settle(clause, unread)
        if result.state != "scored":
            return result
        points = result.points
    if points <= 0 and not (clause["earns"] and not clause.get("may_lose") and points == 0):
        lost = -points
        for rule in clause.get("aggravate", []):
            if judge(world, area, rule["condition"]):
                lost = lost * rule.get("times", 1) + rule.get("add", 0)
        for rule in clause.get("mitigate", []):
            if judge(world, area, rule["condition"]):
                lost = max(F(0), lost * rule.get("times", 1) - rule.get("less", 0))
        points = -lost
    if "streak" in clause and points != 0:
        year, run = world["year"] - 1, 1
        while world["figures"].get((area, clause["streak"]["figure"], year), F(0)) > 0:
            run, year = run + 1, year - 1
        times = clause["streak"]["times"]
        points *= times[min(run, len(times)) - 1]
    if "cap" in clause:
        points = max(-clause["cap"], min(clause["cap"], points))
    return Clause(points)


def rounded(value, places, mode):
    scale = 10**places
    size = abs(value) * scale
    whole = math.floor(size) if mode == "cut" else math.floor(size + F(1, 2))
    return F(whole if value >= 0 else -whole, scale)


class Line:
    def __init__(self, status, points=F(0)):
        self.status = status
        self.points = points


def score_line(world, area, rubric, line):
    if "not_applicable" in line and judge(world, area, line["not_applicable"]):
        return Line("not_applicable")
    clauses = [score_clause(world, area, line, clause) for clause in line["clauses"]]
    states = {clause.state for clause in clauses}
    if states == {"not_applicable"}:
        return Line("not_applicable")
    zeroed = any(judge(world, area, condition) for condition in line.get("zero_when", []))
    if zeroed:
        return Line("scored")
    for waiting in ("no_data", "not_yet_judged"):
        if waiting in states:
            return Line(waiting)
    # What people alone judge is built up from nothing.
    judged = all(clause["form"] == "L17" and not clause.get("taken") for clause in line["clauses"])
    points = F(0) if line["direction"] != "lose" or judged else line["max"]
    points += sum((clause.points for clause in clauses), F(0))
    if line["direction"] == "both":
        if line["max"] > 0:
            points = min(points, line["max"])
    else:
        points = min(line["max"], max(F(0), points))
    if rubric["rounding"]["at"] == "line":
        points = rounded(points, rubric["rounding"]["places"], rubric["rounding"]["mode"])
    return Line("scored", points)


def score_group(rubric, group, lines):
    """The value of a group, and what of its maximum is missing."""
    total = sum((line["max"] for line in rubric["lines"] if line["group"] == group["id"]), F(0))
    inside_group = [(line, lines[line["id"]]) for line in rubric["lines"] if line["group"] == group["id"]]
    missing = sum((line["max"] for line, done in inside_group if done.status == "not_applicable"), F(0))
    value = sum((done.points for _, done in inside_group), F(0))
    nothing_there = all(done.status == "not_applicable" for _, done in inside_group)
    if total > 0 and nothing_there:
        return F(0)
    if missing > 0 and group["missing"] == "full":
        value += missing
    if missing > 0 and group["missing"] == "scale" and missing < total:
        value = value * total / (total - missing)
    if "at_most" in group:
        value = min(value, group["at_most"])
    if "at_least" in group:
        value = max(value, group["at_least"])
    if "convert_to" in group:
        value = value * group["convert_to"] / group.get("convert_from", total)
    return value


def score(world, area, rubric):
    """Lines by id, and the total."""
    lines = {line["id"]: score_line(world, area, rubric, line) for line in rubric["lines"]}
    total = sum((lines[line["id"]].points for line in rubric["lines"] if line["group"] == ""), F(0))
    total += sum((score_group(rubric, group, lines) for group in rubric["groups"]), F(0))
    return lines, rounded(total, rubric["rounding"]["places"], rubric["rounding"]["mode"])
