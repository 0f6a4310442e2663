"""A suite of the built program on a throw-away folder, for tests that stand outside of it."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request


def wait_until(what, condition, seconds=60):
    """The condition's first true value; it is asked until then."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"gave up waiting: {what}")
        time.sleep(0.02)


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url):
    """The body of a page of this machine, whatever proxies are configured."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return answer.read().decode()


@contextlib.contextmanager
def temporary_folder(keep_on_failure=False):
    """A folder that other users may enter, as the database's may have to."""
    folder = tempfile.mkdtemp(prefix="fadu-test-", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        yield folder
    except BaseException:
        if keep_on_failure:
            print(f"kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


class Suite:
    """`fadu up` on a folder: started, stopped, killed, asked."""

    def __init__(self, fadu, folder, config=None):
        self.fadu = os.path.abspath(fadu)
        self.data = os.path.join(folder, "data")
        self.log_path = os.path.join(folder, "suite.log")
        self.config_path = os.path.join(folder, "fadu.json")
        self.process = None
        with open(self.config_path, "w", encoding="utf-8") as file:
            json.dump(config or {}, file)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def endpoints_path(self):
        return os.path.join(self.data, "run", "endpoints.json")

    def start(self, environment=None):
        """Returns the seconds until it was ready."""
        if os.path.exists(self.endpoints_path):
            os.unlink(self.endpoints_path)
        begin = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.fadu, "up", "--data", self.data, "--config", self.config_path], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        wait_until("fadu up", lambda: os.path.exists(self.endpoints_path) or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise RuntimeError(f"fadu up ended with {self.process.returncode}; see {self.log_path}")
        return time.monotonic() - begin

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def endpoints(self):
        with open(self.endpoints_path, encoding="utf-8") as file:
            return json.load(file)

    def metrics(self):
        return fetch(f"http://{self.endpoints()['metrics']}/metrics")

    def postmaster(self):
        with open(os.path.join(self.data, "pg", "postmaster.pid"), encoding="utf-8") as file:
            return int(file.readline())

    def run(self, *arguments, check=True):
        """A command on this suite; its standard output."""
        done = subprocess.run([self.fadu, *arguments, "--data", self.data], stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"fadu {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout
