"""A running suite for the tests of the gateway: the built program, its data folder, accounts, HTTP."""
import atexit
import datetime
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

COUNTY = "counties/421221"
VILLAGE = "421221106200"
# A last day that a program's account may have.
LATER = str(datetime.date.today() + datetime.timedelta(days=365))
AREAS = """code\tname\tparent
42\t湖北省\t
4212\t咸宁市\t42
421221\t嘉鱼县\t4212
421221106\t潘家湾镇\t421221
421221106200\t潘家湾村民委员会\t421221106
421221107\t牌洲湾镇\t421221
421221107200\t某村民委员会\t421221107
"""


def wait_for(condition, seconds=60):
    """Polls a condition; its value, or None when time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return None


class Answer:
    """A whole HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def detail(self, kind):
        """One error detail of a google.rpc.Status, by the last part of its type."""
        for detail in self.json["details"]:
            if detail.get("@type", "").endswith("." + kind):
                return detail
            if detail.get("type", "").endswith("." + kind):
                return detail["debug"]
        return None

    @property
    def reason(self):
        return (self.detail("ErrorInfo") or {}).get("reason")


class Suite:
    """`fadu up`, or a process per service, with a gateway."""

    def __init__(self, program, topology="OneProcess", gateway=None):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="fadu-gate-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.data = self.folder + "/data"
        self.processes = []
        self.endpoints_file = None
        atexit.register(self.stop)
        config = {"data_folder": self.data, "gateway": gateway or {}}
        if topology == "OneProcess":
            self._start(config, ["up"])
            endpoints = wait_for(self._endpoints)
        else:
            endpoints = self._start_each(config)
        if not endpoints:
            sys.exit("the suite did not start:\n" + self.log())
        self.endpoints = endpoints
        host, port = endpoints["gateway"].split(":")
        self.host, self.port = host, int(port)
        self.accounts = {}

    def _endpoints(self):
        try:
            with open(self.data + "/run/endpoints.json", encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def _start(self, config, words):
        path = f"{self.folder}/config-{len(self.processes)}.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        with open(self.folder + "/suite.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                [self.program, *words, "--config", path], stdout=log, stderr=log))

    def _start_each(self, config):
        """Every service in a process of its own; the first brings the database."""
        known = subprocess.run([self.program, "serve", "--services", "none", "--lang", "en"], text=True,
                               capture_output=True, check=False).stderr
        names = re.search(r"known: (.*)", known).group(1).split(", ")  # registry first, gateway last
        ports = {}
        sockets = []
        for name in names:
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            ports[name] = sock.getsockname()[1]
            sockets.append(sock)
        for sock in sockets:
            sock.close()
        # A private database for all of them: started by a suite of no service but registry.
        services = {name: {"listen": f"127.0.0.1:{ports[name]}", "address": f"127.0.0.1:{ports[name]}"}
                    for name in names if name != "gateway"}
        config = dict(config, services=services, metrics_listen="off")
        subprocess.run([self.program, "migrate", "--data", self.data], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._start(config, ["serve", "--services", "registry"])
        if not wait_for(self._endpoints):
            return None
        with open(self.data + "/keys/admin.password", encoding="utf-8") as file:
            password = file.read().strip()
        dsn = f"host={self.data}/run port=5432 user=fadu_admin password={password} dbname=fadu"
        config["database_dsn"] = dsn
        config["keys_folder"] = self.data + "/keys"
        config["gateway"] = dict(config["gateway"], listen=f"127.0.0.1:{ports['gateway']}")
        for name in names[1:]:
            self._start(config, ["serve", "--services", name])
        endpoints = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        for name in names:
            if not wait_for(lambda port=ports[name]: self._listens(port)):
                return None
        self.endpoints_file = self.folder + "/endpoints.json"
        with open(self.endpoints_file, "w", encoding="utf-8") as file:
            json.dump(endpoints, file)
        return endpoints

    @staticmethod
    def _listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def log(self):
        with open(self.folder + "/suite.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def gateway_process(self):
        return self.processes[-1]

    def rss_kib(self):
        """Resident memory of the process that serves HTTP."""
        with open(f"/proc/{self.gateway_process().pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def fadu(self, *words, stdin=""):
        """Runs a command; its standard output. Fails loudly."""
        flags = ["--data", self.data]
        if self.endpoints_file:
            flags += ["--endpoints", self.endpoints_file]
        done = subprocess.run([self.program, *words, *flags], input=stdin, text=True,
                              capture_output=True, check=False, env={**os.environ, "LANG": "zh_CN.UTF-8"})
        if done.returncode != 0:
            raise AssertionError(f"fadu {' '.join(words)}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def set_up(self):
        """The county, its administrator, and accounts of a village, a town and a department."""
        self.fadu("bootstrap")
        areas = self.folder + "/areas.tsv"
        with open(areas, "w", encoding="utf-8") as file:
            file.write(AREAS)
        self.fadu("import", "areas", areas, "--as-of", "2023-06-30")
        for name, grants, more in (("clerk", "VILLAGE_CLERK@" + VILLAGE, []),
                                   ("reviewer", "TOWN_REVIEWER@421221106", []),
                                   ("other", "TOWN_REVIEWER@421221107", []),
                                   ("department", "DEPARTMENT@421221", ["--client", "--expires", LATER])):
            self.fadu("account", "create", name + "（示例）", "--grants", grants, "--save", name, *more)
        with open(self.data + "/client/credentials.json", encoding="utf-8") as file:
            secrets = json.load(file)
        for name, secret in secrets.items():
            answer = self.request("POST", "/v1/tokens:exchange", {"secret": secret})
            assert answer.status == 200, answer.body
            self.accounts[name] = answer.json["bearer"]
        return self

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def request(self, method, path, body=None, headers=None, account=None, connection=None):
        """One request; a body that is no bytes is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if account:
            headers["Authorization"] = "Bearer " + self.accounts[account]
        own = connection is None
        connection = connection or self.connect()
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        if own:
            connection.close()
        return answer

    def raw(self, data, seconds=20):
        """Sends bytes and reads until the other end closes; what came, and after how many seconds."""
        begin = time.monotonic()
        received = b""
        with socket.create_connection((self.host, self.port), seconds) as sock:
            try:
                sock.sendall(data)
            except (ConnectionError, socket.timeout):
                pass  # it may have answered all the same
            try:
                while piece := sock.recv(65536):
                    received += piece
            except (ConnectionError, socket.timeout):
                pass
        return received, time.monotonic() - begin


def dispute(title="邻里纠纷（示例）", **more):
    return {"areaCode": VILLAGE, "foundDate": "2024-05-01", "title": title,
            "category": "DISPUTE_CATEGORY_NEIGHBOUR", **more}


def new_id():
    return str(uuid.uuid4())


def query(**parameters):
    return "?" + urllib.parse.urlencode(parameters)
