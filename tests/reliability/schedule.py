"""What is struck when: a pure function of the seed."""
import dataclasses
import random

# A strike falls once so many more wishes were acknowledged since the last one was overcome: progress, not time,
# so that a busy machine runs the same schedule, only slower.
LATEST = 60

# The services that write under load and run in a process of their own in the second topology.
SERVICES = ("mediation", "legality", "governance", "education")


@dataclasses.dataclass(frozen=True)
class Strike:
    kind: str    # a name in faults.KINDS
    after: int   # acknowledgements since the last strike was overcome
    victim: str  # a service, for kinds that choose one
    dice: int    # for kinds that choose among what they find


def strikes(seed, kinds):
    """`kinds`: {kind: how many}. Their strikes in the order in which they fall."""
    chance = random.Random(f"strikes {seed} {sorted(kinds.items())}")
    order = [kind for kind in sorted(kinds) for _ in range(kinds[kind])]
    chance.shuffle(order)
    # Every fourth at once: what recovers is struck again.
    return [Strike(kind, 0 if chance.random() < 0.25 else chance.randrange(LATEST), chance.choice(SERVICES),
                   chance.randrange(1 << 16)) for kind in order]


def point_groups(seed, points, size):
    """The fault points in the order in which they crash, so many armed at a time."""
    chance = random.Random(f"points {seed}")
    order = sorted(points)
    chance.shuffle(order)
    return [order[i:i + size] for i in range(0, len(order), size)]
