"""Kinds of faults. A kind is a function of the deployment and the strike; it hits and returns. What it killed is
started again by the one who called it, but for PostgreSQL, which is the suite's own business."""
import contextlib
import os
import signal


def _kill(pid):
    if pid <= 0:
        raise RuntimeError("there is no process to kill")  # 0 would be ourselves and all we started
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _kill_database(deployment):
    """The postmaster first, so that none are added; then all that are left. One that lived on could wait for ever for
    a lock that a killed one held, and no new server may start beside it."""
    _kill(deployment.postmaster())
    while processes := deployment.database_processes():
        for pid in processes:
            _kill(pid)


def fadu(deployment, strike):
    """R-1: every program at once, and with each all its threads."""
    for name in deployment.names():
        deployment.kill(name)


def service(deployment, strike):
    """R-1: the process of one service; the others go on."""
    deployment.kill(strike.victim)


def postgres(deployment, strike):
    """R-2: the postmaster, every other time with all its processes."""
    if strike.dice % 2:
        _kill_database(deployment)
    else:
        _kill(deployment.postmaster())


def backend(deployment, strike):
    """R-2: one connection of a service; PostgreSQL then ends all others and recovers."""
    ours = sorted(pid for pid, title in deployment.database_processes().items()
                  if f": fadu_{strike.victim} " in title)
    if ours:
        _kill(ours[strike.dice % len(ours)])


def both(deployment, strike):
    """R-1 and R-2 together: nobody is left."""
    fadu(deployment, strike)
    _kill_database(deployment)


# After these there is another postmaster.
OF_POSTMASTER = ("postgres", "both")
KINDS = {kind.__name__: kind for kind in (fadu, service, postgres, backend, both)}
