"""Kinds of faults. A kind is a function of the deployment and the strike; it hits and returns. What it killed is
started again by the one who called it, but for PostgreSQL, which is the suite's own business."""
import contextlib
import os
import signal


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def fadu(deployment, strike):
    """R-1: every program at once, and with each all its threads."""
    for name in deployment.names():
        deployment.kill(name)


def service(deployment, strike):
    """R-1: the process of one service; the others go on."""
    deployment.kill(strike.victim)


def postgres(deployment, strike):
    """R-2: the postmaster, every other time with all its processes."""
    pids = list(deployment.backends()) if strike.dice % 2 else []
    _kill(deployment.postmaster())
    for pid in pids:
        _kill(pid)


def backend(deployment, strike):
    """R-2: one connection of a service; PostgreSQL then ends all others and recovers."""
    ours = sorted(pid for pid, title in deployment.backends().items() if f": fadu_{strike.victim} " in title)
    if ours:
        _kill(ours[strike.dice % len(ours)])


def both(deployment, strike):
    """R-1 and R-2 together: nobody is left."""
    pids = list(deployment.backends())
    _kill(deployment.postmaster())
    fadu(deployment, strike)
    for pid in pids:
        _kill(pid)


KINDS = {kind.__name__: kind for kind in (fadu, service, postgres, backend, both)}
