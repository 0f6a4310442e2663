#!/usr/bin/env python3
"""File names, sizes and words: snake_case files, protos of one subject, no TODO without an issue, no
paths or hosts of one machine.

tests/lint/names.py [ROOT] | --self-test
"""
import os
import re
import sys
import tempfile

SOURCE = (".cc", ".h", ".proto", ".sql", ".py", ".cmake", ".sh", ".yaml")
MAX_PROTO_LINES = 900
SNAKE = re.compile(r"^[a-z0-9_]+(\.[a-z0-9]+)+$")
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
SKIP = ("build", "node_modules", ".git")


def check_file(root, path):
    problems = []
    name = os.path.basename(path)
    if path.endswith((".cc", ".h", ".proto", ".sql")) and not SNAKE.match(name):
        problems.append(f"{path}: file names are snake_case")
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
    if path.endswith(".proto") and not path.startswith("protos/google/"):
        if len(lines) > MAX_PROTO_LINES:
            problems.append(f"{path}: {len(lines)} lines; one subject a file")
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if "\t" in line and path.endswith((".cc", ".h", ".proto", ".sql", ".py")):
            problems.append(f"{where}: a tab")
        if TODO.search(line) and not path.startswith("tests/lint/"):
            problems.append(f"{where}: a TODO names its issue: TODO(#12)")
        if line.rstrip() != line and path.endswith(SOURCE):
            problems.append(f"{where}: white space at the end")
    return problems


def check_tree(root):
    problems = []
    for top in ("protos/fadu", "common", "services", "tests", "deploy", "cmake"):
        for base, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [folder for folder in folders if folder not in SKIP]
            for name in sorted(names):
                if name.endswith(SOURCE):
                    problems += check_file(root, os.path.relpath(os.path.join(base, name), root))
    return problems


def self_test():
    plants = {
        "common/base/BadName.cc": "int a;\n",
        "common/base/tab.cc": "int\ta;\n",
        "common/base/todo.cc": "// TO" + "DO: later\n",
    }
    with tempfile.TemporaryDirectory() as root:
        for path, text in plants.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w") as file:
                file.write(text)
        found = check_tree(root)
        missed = [path for path in plants if not any(p.startswith(path) for p in found)]
    if missed:
        sys.exit(f"the check misses what was planted in {missed}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        sys.exit(0)
    found = check_tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found))
    sys.exit(1 if found else 0)
