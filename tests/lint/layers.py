#!/usr/bin/env python3
"""Who may include what. One table; a line that breaks it is an error.

tests/lint/layers.py [ROOT] | --self-test
"""
import os
import re
import sys
import tempfile

# Folder → prefixes of our own headers it may include, beside its own. Longest folder wins.
OWN = {
    "common/base": [],
    "common/schema": ["common/base"],
    "common/db": ["common/base", "common/schema"],
    "common/rpc": ["common/base", "common/schema"],
    "common/host": ["common/base", "common/schema", "common/db", "common/rpc"],
    # Of rpc only what knows no gRPC.
    "common/records": ["common/base", "common/schema", "common/db", "common/rpc/service.h",
                       "common/rpc/metrics.h", "common/host/module.h"],
    "common/testing": ["common/base", "common/schema", "common/db"],
    "services/fadu": ["common", "services"],
    "tests": ["common", "services"],
}
SERVICES = ["registry", "education", "enforcement", "governance", "legality", "mediation", "assessment",
            "scoring", "gateway"]
for name in SERVICES:
    OWN[f"services/{name}/domain"] = ["common/base", "common/schema"]
    OWN[f"services/{name}"] = ["common", f"services/{name}"]

# Headers of others → folders that alone may include them.
OTHERS = {
    r"grpcpp/|grpc/|grpc\+\+": ["common/rpc"],
    r"pqxx/": ["common/db"],
    r"libpq-fe\.h|libpq/": ["common/db", "common/testing"],
    r"prometheus/": ["common/rpc"],
    r"boost/": ["services/gateway/http_server.cc"],
    r"yaml-cpp/": ["services/assessment/domain", "services/fadu"],
    r"gmp": ["services/scoring/domain"],
    r"google/protobuf/": ["common/schema", "common/rpc", "common/records", "common/host", "services", "tests"],
}
# A program, not a library: these have a main.
MAINS = {"services/fadu/main.cc", "tests/reliability/client.cc", "tests/bench/recording.cc",
         "tests/bench/gateway.cc"}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')


def folder_of(path):
    best = ""
    for folder in OWN:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def check_file(root, path):
    folder = folder_of(path)
    problems = []
    if not folder:
        return [f"{path}: no layer is known for this folder"]
    is_test = path.endswith("_test.cc") or "_test_support" in path
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}:{number}"
            if re.match(r"^int main\(", line) and path not in MAINS and not is_test:
                problems.append(f"{where}: only the program has a main")
            if re.search(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", line):
                problems.append(f"{where}: sleeping is not waiting for something")
            match = INCLUDE.match(line)
            if not match:
                continue
            header = match.group(1)
            if header.startswith(("common/", "services/", "tests/")):
                allowed = [folder] + OWN[folder] + (["common/testing"] if is_test else [])
                # A service's tests may start a host and stores.
                if is_test and folder.startswith("services/") and not folder.endswith("/domain"):
                    allowed.append("common")
                if not any(header == prefix or header.startswith(prefix + "/") for prefix in allowed):
                    problems.append(f"{where}: {folder} may not include {header}")
            for pattern, folders in OTHERS.items():
                if not re.match(pattern, header):
                    continue
                if is_test and pattern.startswith(("grpcpp", "google", "libpq")):
                    continue
                if not any(path == prefix or path.startswith(prefix + "/") for prefix in folders):
                    problems.append(f"{where}: {header} belongs to {', '.join(folders)}")
    return problems


def check_tree(root):
    problems = []
    for top in ("common", "services", "tests"):
        for base, _, names in os.walk(os.path.join(root, top)):
            if "node_modules" in base:
                continue
            for name in sorted(names):
                if name.endswith((".h", ".cc")):
                    path = os.path.relpath(os.path.join(base, name), root)
                    problems += check_file(root, path)
    return problems


def self_test():
    plants = {
        "services/mediation/domain/a.cc": '#include "common/db/pool.h"\n',
        "services/mediation/b.cc": '#include "services/scoring/store.h"\n',
        "services/scoring/c.cc": "#include <grpcpp/grpcpp.h>\n",
        "common/base/d.cc": '#include "common/schema/filter.h"\n',
        "common/records/e.cc": "#include <pqxx/pqxx>\n",
        "common/schema/f.cc": "int main() {}\n",
        "common/records/g.cc": '#include "common/rpc/server.h"\n',
        "services/fadu/h.cc": "std::this_thread::sleep_for(std::chrono::seconds(1));\n",
        "services/registry/i.cc": "#include <prometheus/counter.h>\n",
        "services/scoring/domain/j.cc": "#include <libpq-fe.h>\n",
    }
    with tempfile.TemporaryDirectory() as root:
        for path, text in plants.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w") as file:
                file.write(text)
        found = check_tree(root)
        missed = [path for path in plants if not any(p.startswith(path + ":") for p in found)]
    if missed:
        sys.exit(f"the check misses what was planted in {missed}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        sys.exit(0)
    found = check_tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found))
    sys.exit(1 if found else 0)
