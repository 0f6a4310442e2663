"""The suite on one data folder in two topologies, so that any part of it can be killed and started again."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.suite import free_port, wait_until  # noqa: E402


def title_of(pid):
    """A process's own title, such as "postgres: fadu_mediation fadu [local] idle"."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ").strip()
    except OSError:
        return ""


class Deployment:
    """Programs by name. Where clients find their services stands in `endpoints`, while they run."""

    def __init__(self, program, folder, environment=None):
        self.program = os.path.abspath(program)
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.endpoints = os.path.join(folder, "endpoints.json")
        self.environment = environment or {}
        self.processes = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def names(self):
        raise NotImplementedError

    def prepare(self, name):
        """Clears what a killed one left that would look like an answer."""

    def arguments(self, name):
        raise NotImplementedError

    def ready(self, name):
        raise NotImplementedError

    def addresses(self):
        raise NotImplementedError

    def start(self):
        """Starts what does not run, and returns when all of it serves."""
        for name in self.names():
            if self.running(name):
                continue
            self.prepare(name)
            log = os.path.join(self.folder, f"{name}.log")
            with open(log, "ab") as file:
                process = subprocess.Popen(
                    [self.program, *self.arguments(name)], stdout=file, stderr=file,
                    stdin=subprocess.DEVNULL, env={**os.environ, **self.environment})
            self.processes[name] = process
            wait_until(f"{name} serves", lambda name=name: self.ready(name) or not self.running(name))
        self.publish()

    def running(self, name):
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def complete(self):
        return all(self.running(name) for name in self.names())

    def publish(self):
        """Tells clients where to go. A program that died meanwhile is found by whoever looks next."""
        with contextlib.suppress(OSError):
            text = json.dumps(self.addresses())
            with open(self.endpoints + ".new", "w", encoding="utf-8") as file:
                file.write(text)
            os.rename(self.endpoints + ".new", self.endpoints)

    def kill(self, name):
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self):
        for name in reversed(self.names()):
            if self.running(name):
                self.processes[name].send_signal(signal.SIGTERM)
        for name in reversed(self.names()):
            if name in self.processes:
                self.processes[name].wait(timeout=60)

    # ---- its database ----------------------------------------------------------------------------

    def postmaster(self):
        """The pid in postmaster.pid; 0 when there is none."""
        try:
            with open(os.path.join(self.data, "pg", "postmaster.pid"), encoding="utf-8") as file:
                return int(file.readline())
        except (OSError, ValueError):
            return 0

    def database_processes(self):
        """Pids and titles of the processes that work in the database's folder, the postmaster among them."""
        found = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{entry}/cwd") == os.path.join(self.data, "pg"):
                        found[int(entry)] = title_of(entry)
        return found

    def admin_dsn(self):
        with open(os.path.join(self.data, "keys", "admin.password"), encoding="utf-8") as file:
            password = file.read()
        return f"host={self.data}/run port=5432 dbname=fadu user=fadu_admin password={password}"


class OneProgram(Deployment):
    """`fadu up`."""

    def names(self):
        return ["fadu"]

    def written(self):
        return os.path.join(self.data, "run", "endpoints.json")

    def prepare(self, name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.written())

    def arguments(self, name):
        return ["up", "--data", self.data]

    def ready(self, name):
        return os.path.exists(self.written())

    def addresses(self):
        with open(self.written(), encoding="utf-8") as file:
            return json.load(file)


class ProcessPerService(Deployment):
    """The services under load in a process each, the others and the database with `base`. The folder was made
    by OneProgram."""

    ALONE = ("education", "governance", "legality", "mediation")
    TOGETHER = ("registry", "enforcement", "scoring", "assessment")

    def __init__(self, program, folder, environment=None):
        super().__init__(program, folder, environment)
        self.ports = {name: free_port() for name in (*self.TOGETHER, *self.ALONE)}
        services = {name: {"listen": f"127.0.0.1:{port}", "address": f"127.0.0.1:{port}"}
                    for name, port in self.ports.items()}
        self.config("base", {"services": services})
        for name in self.ALONE:
            self.config(name, {"services": services, "keys_folder": f"{self.data}/keys", "metrics_listen": "off",
                               "database_dsn": f"host={self.data}/run port=5432 dbname=fadu"})

    def config(self, name, values):
        with open(os.path.join(self.folder, f"{name}.json"), "w", encoding="utf-8") as file:
            json.dump(values, file)

    def names(self):
        return ["base", *self.ALONE]

    def arguments(self, name):
        config = ["--config", os.path.join(self.folder, f"{name}.json")]
        if name == "base":
            return ["serve", "--services", ",".join(self.TOGETHER), "--data", self.data, *config]
        return ["serve", "--services", name, *config]

    def ready(self, name):
        services = self.TOGETHER if name == "base" else (name,)
        return all(self.listens(self.ports[service]) for service in services)

    @staticmethod
    def listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def addresses(self):
        return {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
