"""What became of what clients asked for: the oracle common to every fault test.

judge() compares the clients' log (client_log.h: every wish before it was sent, every answer when it came)
with the state afterwards (state.cc: records, events, facts and chains as the public RPCs tell them, and what
scoring took). It knows nothing of faults. Each count is of distinct things, so that one damage counts once.
"""
import collections
import json

# What must be 0 for a verdict to be good.
WRONG = ("lost", "duplicated", "gaps", "half_written", "chains_broken", "projections_differ", "unasked",
         "answers_differ", "refused")


def lines_of(path):
    """The JSON lines of a file; a last one that was cut short by a death is none."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


class Wish:
    """One request id, and what its caller heard."""

    def __init__(self, ask):
        self.ask = ask
        self.answers = []
        self.refusal = None


class Judge:
    def __init__(self, log, state):
        self.found = collections.defaultdict(dict)  # count → thing → sentence
        self.wishes = {}
        for line in log:
            if line["at"] == "ask":
                self.wishes[line["id"]] = Wish(line)
            elif line["at"] in ("ack", "again"):
                self.wishes[line["id"]].answers.append(line)
            elif line["at"] == "no":
                self.wishes[line["id"]].refusal = line["why"]
        self.records, self.copies = {}, collections.Counter()
        self.events, self.facts = {}, {}
        self.chains, self.projections, self.syncs = [], [], []
        for line in state:
            kind = line["is"]
            if kind == "record":
                self.records[line["name"]] = line
                self.copies[line["name"]] += 1
            elif kind == "event":
                self.events[line["service"], line["county"], line["seq"]] = line
            elif kind == "fact":
                self.facts[line["service"], line["county"], line["seq"]] = line
            elif kind == "chain":
                self.chains.append(line)
            elif kind == "projection":
                self.projections.append(line)
            elif kind == "sync":
                self.syncs.append(line)
        self.by_request = collections.defaultdict(list)
        self.by_record = collections.defaultdict(list)
        for key in sorted(self.events):
            event = self.events[key]
            self.by_request[event["request"]].append(event)
            if event["operation"] != "unmask":  # a look makes no revision
                self.by_record[event["name"]].append(event)

    def say(self, count, thing, sentence):
        self.found[count].setdefault(thing, sentence)

    # ---- acknowledged ⊆ stored, each exactly once ------------------------------------------------

    def check_wishes(self):
        for request, wish in self.wishes.items():
            events = self.by_request.get(request, [])
            followed = sum(1 for event in events if event["follows"])
            asked_for = len(events) - followed
            ask = wish.ask
            for answer in wish.answers:
                self.check_answer(request, answer, events)
                if answer["names"] != wish.answers[0]["names"] or \
                        answer["revisions"] != wish.answers[0]["revisions"] or \
                        answer["numbers"] != wish.answers[0]["numbers"]:
                    self.say("answers_differ", request, f"{request} was answered differently when asked again")
            if asked_for > ask["items"] or followed > ask["follows"]:
                self.say("duplicated", request, f"{request} asked for {ask['items']} and has {len(events)} events")
            elif events and followed < ask["follows"]:
                self.say("half_written", request, f"{request} is there without what follows from it")
            elif events and asked_for < ask["items"] and not wish.answers:
                self.say("half_written", request, f"{request} has {asked_for} of {ask['items']} events")
            if wish.refusal is not None and events:
                self.say("answers_differ", request, f"{request} was refused and has an event")
            if wish.refusal is not None and not ask["refused"]:
                self.say("refused", request, f"{request} ({ask['kind']}) was refused: {wish.refusal}")
            if ask["refused"] and wish.answers:
                self.say("answers_differ", request, f"{request} should have been refused")
        for request, events in self.by_request.items():
            if request not in self.wishes:
                self.say("unasked", request, f"nobody asked for {request} ({events[0]['name']})")

    def check_answer(self, request, answer, events):
        stored = {(event["name"], event["revision"]) for event in events}
        for name, revision in zip(answer["names"], answer["revisions"]):
            if (name, revision) not in stored:
                self.say("lost", name, f"{request} was acknowledged, {name} revision {revision} has no event")
            record = self.records.get(name)
            if record is None:
                self.say("lost", name, f"{request} was acknowledged, {name} is not there")
            elif record["revision"] < revision:
                self.say("lost", name, f"{name} is at revision {record['revision']}, {revision} was acknowledged")
        for name, number in zip(answer["names"], answer["numbers"]):
            record = self.records.get(name)
            if record is not None and number != f"{record['symbol']}〔{record['year']}〕{record['ordinal']}号":
                self.say("answers_differ", name, f"{name} was told to be {number}")

    # ---- records = events ------------------------------------------------------------------------

    def check_records(self):
        titles = collections.defaultdict(list)
        for name, record in self.records.items():
            if self.copies[name] > 1:
                self.say("duplicated", name, f"{name} is listed {self.copies[name]} times")
            titles[record["title"]].append(name)
            changes = self.by_record.get(name)
            if not changes:
                self.say("half_written", name, f"{name} has no event")
                continue
            last = max(event["revision"] for event in changes)
            if record["revision"] < last:
                self.say("lost", name, f"{name} is at revision {record['revision']}, its events go to {last}")
            elif record["revision"] > last:
                self.say("half_written", name, f"{name} is at revision {record['revision']}, its events end at {last}")
            self.check_title(name, record, changes)
        for title, names in titles.items():
            if title and len(names) > 1:
                self.say("duplicated", title, f"one wish made {' and '.join(sorted(names))}")
        for name, changes in self.by_record.items():
            if name not in self.records:
                self.say("half_written", name, f"{name} has events and is not there")
            revisions = [event["revision"] for event in changes]
            if len(set(revisions)) < len(revisions):
                self.say("duplicated", name, f"{name} has two events of one revision")
            missing = set(range(1, max(revisions) + 1)) - set(revisions)
            if missing:
                self.say("half_written", name, f"{name} has no event for revision {min(missing)}")

    def check_title(self, name, record, changes):
        """A record says what the last wish that set its content asked for: titles are request ids."""
        content = [event["request"] for event in changes
                   if event["operation"] in ("create", "update") and not event["follows"]]
        if record["title"] and content and content[-1] in self.wishes and \
                record["title"].split(" ")[0] != content[-1]:
            self.say("half_written", name, f"{name} does not say what {content[-1]} asked for")

    # ---- no gaps ---------------------------------------------------------------------------------

    def check_gaps(self):
        for what, rows in (("event", self.events), ("feed", self.facts)):
            seqs = collections.defaultdict(set)
            for service, county, seq in rows:
                seqs[service, county].add(seq)
            for (service, county), have in seqs.items():
                for seq in set(range(1, max(have) + 1)) - have:
                    self.say("gaps", (service, county, seq), f"{service} {county}: no {what} {seq}")
        # Also at the end: one tells of what the other does not.
        for key in self.events.keys() - self.facts.keys():
            self.say("gaps", key, f"{key[0]} {key[1]}: event {key[2]} is not in the feed")
        for key in self.facts.keys() - self.events.keys():
            self.say("gaps", key, f"{key[0]} {key[1]}: the feed tells of {key[2]}, no event does")
        numbers = collections.defaultdict(list)
        for name, record in self.records.items():
            if record.get("ordinal"):
                numbers[record["county"], record["symbol"], record["year"]].append((record["ordinal"], name))
        for series, given in numbers.items():
            ordinals = collections.Counter(ordinal for ordinal, _ in given)
            for ordinal in set(range(1, max(ordinals) + 1)) - ordinals.keys():
                self.say("gaps", (series, ordinal), f"{series}: no number {ordinal}")
            for ordinal, times in ordinals.items():
                if times > 1:
                    self.say("duplicated", (series, ordinal), f"{series}: number {ordinal} is given {times} times")
        return {series: max(ordinal for ordinal, _ in given) for series, given in numbers.items()}

    # ---- chains and consumers --------------------------------------------------------------------

    def check_chains(self):
        for chain in self.chains:
            where = (chain["service"], chain["county"])
            events = sum(1 for service, county, _ in self.events if (service, county) == where)
            if chain["why"]:
                self.say("chains_broken", where, f"{where}: {chain['why']}")
            elif chain["events"] != events:
                self.say("chains_broken", where, f"{where}: {chain['events']} verified, {events} listed")

    def check_projections(self):
        """Scoring's facts are the replay of the feeds, and of each record the newest counts."""
        for sync in self.syncs:
            if sync["why"]:
                self.say("projections_differ", sync["county"], f"{sync['county']}: {sync['why']}")
        newest = {}
        for (service, county, seq), fact in self.facts.items():
            if fact["id"]:
                key = (service, county, fact["id"])
                newest[key] = max(newest.get(key, 0), fact["revision"])
        services = {service for service, _, _ in self.facts}
        told = {(service, county, fact["id"], fact["revision"]): (seq, fact["digest"], fact["tombstone"])
                for (service, county, seq), fact in self.facts.items() if fact["id"]}
        taken = {}
        for row in self.projections:
            if row["service"] not in services:
                continue
            key = (row["service"], row["county"], row["id"], row["revision"])
            taken[key] = (row["seq"], row["digest"], row["tombstone"])
            if row["current"] != (row["revision"] == newest.get(key[:3])):
                self.say("projections_differ", key, f"{key}: current is {row['current']}")
        for key in told.keys() | taken.keys():
            if told.get(key) != taken.get(key):
                self.say("projections_differ", key, f"{key}: the feed tells {told.get(key)}, scoring has {taken.get(key)}")

    def verdict(self):
        self.check_wishes()
        self.check_records()
        numbers = self.check_gaps()
        self.check_chains()
        self.check_projections()
        counts = {"acknowledged": sum(1 for wish in self.wishes.values() if wish.answers)}
        for count in WRONG:
            counts[count] = len(self.found[count])
        counts["asked"] = len(self.wishes)
        counts["events"] = len(self.events)
        counts["numbers"] = sum(numbers.values())
        return counts


def judge(log, state):
    """(counts, sentences): what is wrong is counted under the names in WRONG and said in words."""
    judged = Judge(log, state)
    counts = judged.verdict()
    sentences = [f"{count}: {sentence}" for count in WRONG for sentence in judged.found[count].values()]
    return counts, sentences


def is_good(counts):
    return counts["acknowledged"] > 0 and all(counts[count] == 0 for count in WRONG)
