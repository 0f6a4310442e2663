#!/usr/bin/env python3
"""File names, sizes and words: snake_case files, protos of one subject, no TODO without an issue, glossary
terms that the code uses, links that lead somewhere, lock files without a host.

tests/lint/names.py [ROOT] | --self-test
"""
import glob
import os
import re
import sys
import tempfile

SOURCE = (".cc", ".h", ".proto", ".sql", ".py", ".cmake", ".sh", ".yaml")
MAX_PROTO_LINES = 600
# Longer than that already: they may shrink, not grow.
LONG_PROTOS = {
    "protos/fadu/common/v1/record_service.proto": 640,
}
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
        if len(lines) > LONG_PROTOS.get(path, MAX_PROTO_LINES):
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


def text_of(path):
    """The text of a file, or of all files of a folder."""
    files = [path] if os.path.isfile(path) else [os.path.join(base, n) for base, _, names in os.walk(path) for n in names]
    return "\n".join(open(file, encoding="utf-8", errors="replace").read() for file in files).lower()


def check_glossary(root):
    """Every term stands where the glossary says it does."""
    path = "docs/glossary.md"
    if not os.path.exists(os.path.join(root, path)):
        return []
    problems = []
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.startswith("|") or len(cells) != 4 or "`" not in cells[3]:
                continue
            for where in re.findall(r"`([^`]+)`", cells[3]):
                places = glob.glob(os.path.join(root, where)) + glob.glob(os.path.join(root, "protos/fadu", where))
                if not places:
                    problems.append(f"{path}:{number}: there is no {where}")
                text = "\n".join(text_of(place) for place in places)
                words = re.findall(r"[a-z]+", re.sub(r"\(.*?\)", "", cells[0].lower()))
                missing = [word for word in words if word not in text]
                if places and missing:
                    problems.append(f"{path}:{number}: {where} does not know {', '.join(missing)}")
    return problems


def check_links(root):
    """Links between our own documents lead to files."""
    problems = []
    pages = glob.glob(os.path.join(root, "*.md"))
    for top in ("docs", "deploy", "services", "protos"):
        pages += glob.glob(os.path.join(root, top, "**", "*.md"), recursive=True)
    for page in sorted(pages):
        for target in re.findall(r"\]\(([^)#\s]+)", open(page, encoding="utf-8").read()):
            if "://" in target or os.path.exists(os.path.join(os.path.dirname(page), target)):
                continue
            problems.append(f"{os.path.relpath(page, root)}: the link to {target} leads nowhere")
    return problems


def check_locks(root):
    """A lock file names versions and digests; where they come from is the machine's business."""
    problems = []
    for base, folders, names in os.walk(root):
        folders[:] = [folder for folder in folders if folder not in SKIP]
        for name in names:
            path = os.path.join(base, name)
            if name == "package-lock.json" and '"resolved"' in open(path, encoding="utf-8").read():
                problems.append(f"{os.path.relpath(path, root)}: remove the \"resolved\" lines")
    return problems


def check_tree(root):
    problems = check_glossary(root) + check_links(root) + check_locks(root)
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
        "protos/fadu/x/v1/long.proto": "// a line\n" * (MAX_PROTO_LINES + 1),
        "docs/glossary.md": "| herring | 鱼 | a fish | `common/base/tab.cc` |\n",
        "docs/links.md": "[there](nowhere.md)\n",
        "tests/lint/package-lock.json": '{"resolved": "somewhere"}\n',
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
