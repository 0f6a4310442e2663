#!/usr/bin/env python3
"""docs/errors.md from the reasons in the contracts.

tests/lint/errors.py           writes docs/errors.md
tests/lint/errors.py --check   fails when it is not what the contracts say
"""
import glob
import os
import re
import sys

REASON = re.compile(r"enum Reason \{(.*?)\n\}", re.S)
ENTRY = re.compile(r"((?:\s*//[^\n]*\n)+)\s*(REASON_\w+) = (\d+)\s*(\[.*?\])?;", re.S)


def page():
    out = ["# Errors", "",
           "Every failure carries a reason. Programs read the reason, people the text; `{…}` are metadata",
           "values. Made from the contracts by `tests/lint/errors.py`.", ""]
    for path in sorted(glob.glob("protos/fadu/*/v1/*.proto")):
        text = open(path, encoding="utf-8").read()
        block = REASON.search(text)
        if not block:
            continue
        package = re.search(r"^package ([\w.]+);", text, re.M).group(1)
        out += [f"## {package}", "", "| reason | when | 中文 | English |", "|---|---|---|---|"]
        for comment, name, number, label in ENTRY.findall(block.group(1)):
            if number == "0":
                continue
            when = " ".join(line.strip().lstrip("/").strip() for line in comment.strip().split("\n"))
            texts = {key: re.search(key + r':\s*"((?:[^"\\]|\\.)*)"', label or "") for key in ("zh", "en")}
            zh, en = (texts[key].group(1) if texts[key] else "" for key in ("zh", "en"))
            if not zh or not en:
                sys.exit(f"{path}: {name} lacks a text")
            out.append(f"| `{name}` | {when} | {zh} | {en} |")
        out.append("")
    return "\n".join(out).replace("\\\"", '"')


if __name__ == "__main__":
    want = page()
    path = os.path.join("docs", "errors.md")
    if sys.argv[1:] == ["--check"]:
        have = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        sys.exit(0 if have == want else "docs/errors.md is not what the contracts say; run tests/lint/errors.py")
    os.makedirs("docs", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(want)
