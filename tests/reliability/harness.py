"""The parts of a fault test: clients that record, strikes that fall meanwhile, a judge afterwards."""
import collections
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time

import faults
import oracle
import schedule
from deployment import OneProgram, ProcessPerService

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.suite import wait_until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 120  # seconds in which a strike must be overcome, however busy the machine
COUNTIES = ("421221", "421222", "421223", "421224")
NUMBERING_COUNTY = "421225"
# The first write of a county is a step of its own: fault points need new ones.
NEW_COUNTIES = tuple(str(421231 + i) for i in range(8))


class Load:
    """The clients, and how far they are."""

    def __init__(self, harness, counties, callers, arguments):
        self.log = harness.log
        self.callers = callers
        self.offset = os.path.getsize(self.log)
        self.acknowledged = 0
        self.rest = b""
        self.errors = open(harness.errors, "ab")  # closed in finish()
        self.process = subprocess.Popen(
            [harness.client, "load", "--endpoints", harness.endpoints, "--keys", harness.keys, "--log", self.log,
             "--counties", ",".join(counties), "--seed", str(harness.seed), "--callers", str(callers), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def count(self):
        """Wishes acknowledged so far."""
        with open(self.log, "rb") as file:
            file.seek(self.offset)
            text = self.rest + file.read()
            self.offset = file.tell()
        whole, _, self.rest = text.rpartition(b"\n")
        self.acknowledged += whole.count(b'{"at":"ack"')
        return self.acknowledged

    def wait(self, more):
        """Until so many more are acknowledged, or all there will be."""
        upto = self.count() + more
        wait_until(f"{more} acknowledgements", lambda: self.count() >= upto or not self.running(), PATIENCE)

    def running(self):
        return self.process.poll() is None

    def finish(self):
        """Lets every caller hear its last answer; what they say of themselves."""
        said = self.process.communicate(timeout=PATIENCE)[0]
        self.errors.close()
        return json.loads(said) if self.process.returncode == 0 else {"failed": 1}


def kill_strikes(seed, rounds):
    return schedule.strikes(seed, {"fadu": rounds, "postgres": rounds, "backend": rounds, "both": rounds // 5})


def service_strikes(seed, rounds):
    return schedule.strikes(seed, {"service": rounds})


def number_strikes(seed, rounds):
    """Close together: there are 64 clients, with few wishes each."""
    kills = 3 + rounds // 20
    return [dataclasses.replace(strike, after=strike.after // 2)
            for strike in schedule.strikes(seed, {"fadu": kills, "postgres": kills})]


def known_points():
    """The fault points there are (points.txt)."""
    with open(os.path.join(HERE, "points.txt"), encoding="utf-8") as file:
        return {line.strip() for line in file if line.strip() and not line.startswith("#")}


class Harness:
    """One fault test on one folder: begin(), run() its parts, verdict()."""

    def __init__(self, build, folder, seed, rounds):
        self.folder = folder
        self.seed = seed
        self.rounds = rounds
        build = os.path.abspath(build)
        self.fadu = os.path.join(build, "fadu")
        self.fadu_with_faults = os.path.join(build, "tests", "fadu_with_faults")
        self.client = os.path.join(build, "tests", "reliability_client")
        self.log = os.path.join(folder, "clients.jsonl")
        self.state = os.path.join(folder, "state.jsonl")
        self.errors = os.path.join(folder, "clients.log")
        self.endpoints = os.path.join(folder, "endpoints.json")
        self.keys = os.path.join(folder, "data", "keys")
        self.counties = set()
        self.struck = collections.Counter()  # strikes that fell, by kind
        self.ready = collections.defaultdict(float)  # seconds: the longest until wishes were answered again
        self.clients = collections.Counter()  # what the clients said of themselves
        self.problems = []  # what kept the test from being one
        self.numbers_asked = 0

    def begin(self):
        """Makes the data folder and an empty log."""
        with open(self.log, "w", encoding="utf-8"):
            pass
        with OneProgram(self.fadu, self.folder):
            pass

    def run(self, part):
        """Whatever keeps a part from its end, there is a verdict on what was written."""
        begin = time.monotonic()
        try:
            getattr(self, part)()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:  # TimeoutError is an OSError
            self.problems.append(f"{part} broke off: {error}")
        print(f"{part}: {time.monotonic() - begin:.1f} s", flush=True)

    @contextlib.contextmanager
    def load(self, counties, *arguments, callers=12):
        """Clients that record in these counties until the block ends, and then hear their last answers."""
        self.counties.update(counties)
        load = Load(self, counties, callers, arguments)
        try:
            yield load
        except BaseException:
            load.process.kill()
            load.process.communicate()
            raise
        said = load.finish()
        for key, value in said.items():
            self.clients[key] += value

    # ---- R-1, R-2 --------------------------------------------------------------------------------

    def strike(self, deployment, load, strike):
        """Hits, starts again what was killed, and waits until something is answered after that."""
        load.wait(strike.after)
        if not load.running():
            self.problems.append(f"the clients were done before {strike} fell")
            return
        wait_until("a database", deployment.postmaster, PATIENCE)
        begin = time.monotonic()
        postmaster = deployment.postmaster()
        faults.KINDS[strike.kind](deployment, strike)
        deployment.start()
        if not deployment.complete():
            raise RuntimeError(f"it does not start after {strike}")
        if strike.kind in faults.OF_POSTMASTER:
            # Its processes may answer for a moment without it.
            wait_until("another postmaster", lambda: deployment.postmaster() not in (0, postmaster), PATIENCE)
        load.wait(load.callers + 1)  # each caller may still have had an answer from before
        self.ready[strike.kind] = max(self.ready[strike.kind], time.monotonic() - begin)
        self.struck[strike.kind] += 1

    def kills(self):
        with OneProgram(self.fadu, self.folder) as deployment, self.load(COUNTIES) as load:
            for strike in kill_strikes(self.seed, self.rounds):
                self.strike(deployment, load, strike)

    def services(self):
        with ProcessPerService(self.fadu, self.folder) as deployment, self.load(COUNTIES) as load:
            for strike in service_strikes(self.seed, self.rounds):
                self.strike(deployment, load, strike)

    def numbers(self):
        """64 clients ask for numbers of one series."""
        strikes = number_strikes(self.seed, self.rounds)
        wishes = 2 * len(strikes)
        with OneProgram(self.fadu, self.folder) as deployment:
            with self.load((NUMBERING_COUNTY,), "--mix", "numbers", "--wishes", str(wishes), callers=64) as load:
                for strike in strikes:
                    self.strike(deployment, load, strike)
        self.numbers_asked += 64 * wishes

    # ---- R-3 -------------------------------------------------------------------------------------

    def points(self):
        """Every known point is delayed at, cut at and crashed at, and no other is met."""
        points = known_points()
        at_first = {point for point in points if "make_counter" in point or "add_known_county" in point}
        self.faults = os.path.join(self.folder, "faults")
        for action in ("delay", "cut", "crash"):
            for state in ("armed", "struck"):
                os.makedirs(os.path.join(self.faults, state, action))
        self.arm("delay", points)
        self.arm("cut", points)
        self.arm("crash", at_first)
        with OneProgram(self.fadu_with_faults, self.folder, {"FADU_FAULTS": self.faults}) as deployment:
            with self.load(NEW_COUNTIES) as load:
                self.crash_until_struck(deployment, load)
                for group in schedule.point_groups(self.seed, points - at_first, 8):
                    self.arm("crash", group)
                    self.crash_until_struck(deployment, load)
                with contextlib.suppress(TimeoutError):
                    wait_until("every delay and cut", lambda: not self.armed("delay") + self.armed("cut"), 30)
        self.check_points(points)

    def arm(self, action, points):
        for point in points:
            path = os.path.join(self.faults, "armed", action, point)
            with open(self.faults + "/new", "w", encoding="utf-8") as file:
                file.write("20")  # milliseconds of a delay
            os.rename(self.faults + "/new", path)

    def armed(self, action):
        return os.listdir(os.path.join(self.faults, "armed", action))

    def crash_until_struck(self, deployment, load):
        """Starts the program again as often as it crashes, until it has crashed everywhere it was to, and answers."""
        def until(what, condition, seconds):
            def step():
                if not deployment.complete():
                    deployment.start()
                return condition()
            wait_until(what, step, seconds)

        with contextlib.suppress(TimeoutError):
            until("every crash", lambda: not self.armed("crash"), PATIENCE / 2)
        for point in self.armed("crash"):
            os.unlink(os.path.join(self.faults, "armed", "crash", point))
        # The last one may be dying still.
        answered = load.count() + load.callers
        until("an answer after the last crash", lambda: load.count() > answered, PATIENCE)

    def check_points(self, points):
        for action in ("delay", "cut", "crash"):
            struck = set(os.listdir(os.path.join(self.faults, "struck", action)))
            self.struck[action] = len(struck)
            for point in sorted(points - struck):
                self.problems.append(f"no {action} at {point}: nothing came there")
        with open(os.path.join(self.faults, "visited"), encoding="utf-8") as file:
            for point in sorted(set(file.read().split()) - points):
                self.problems.append(f"a step without a place in points.txt: {point}")

    # ---- the verdict -----------------------------------------------------------------------------

    def read_state(self, deployment):
        """What clients can see now, into `state`."""
        dsn = os.path.join(self.folder, "admin.dsn")
        with open(os.open(dsn, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(deployment.admin_dsn())
        with open(self.state, "wb") as out, open(self.errors, "ab") as errors:
            subprocess.run(
                [self.client, "state", "--endpoints", self.endpoints, "--keys", self.keys, "--counties",
                 ",".join(sorted(self.counties)), "--dsn-file", dsn], stdout=out, stderr=errors, check=True)

    def judge(self):
        """(counts, sentences) of the oracle."""
        with OneProgram(self.fadu, self.folder) as deployment:
            self.read_state(deployment)
        return oracle.judge(oracle.lines_of(self.log), oracle.lines_of(self.state))

    def check_numbers(self):
        given = sorted(line["ordinal"] for line in oracle.lines_of(self.state)
                       if line["is"] == "record" and line["county"] == NUMBERING_COUNTY and line.get("ordinal"))
        if given != list(range(1, self.numbers_asked + 1)):
            self.problems.append(f"of {self.numbers_asked} numbers {len(given)} were given, {len(set(given))} different")

    def verdict(self):
        """The verdict, and a sentence for each thing that is wrong."""
        counts, sentences = self.judge()
        self.check_numbers()
        for key in ("failed", "unknown", "internal"):
            if self.clients[key]:
                self.problems.append(f"clients: {key} {self.clients[key]}")
        if not counts["acknowledged"]:
            self.problems.append("nothing was acknowledged")
        verdict = {"rounds": sum(self.struck.values()), **counts, "retries": self.clients["retries"],
                   "struck": dict(sorted(self.struck.items())), "problems": len(self.problems),
                   "ready_seconds_max": {kind: round(seconds, 2) for kind, seconds in sorted(self.ready.items())},
                   "seed": self.seed}
        return verdict, self.problems + sentences


# In the order in which they run, with their strikes.
PARTS = {"kills": kill_strikes, "services": service_strikes, "numbers": number_strikes,
         "points": lambda seed, rounds: schedule.point_groups(seed, known_points(), 8)}
