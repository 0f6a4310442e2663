#!/usr/bin/env python3
"""What SQL may not say, in statements, migrations and code.

tests/lint/sql.py [ROOT] | --self-test
"""
import os
import re
import sys
import tempfile

BANNED = [
    (r"\bSELECT\s+\*", "name the columns"),
    (r"\b(now|clock_timestamp|statement_timestamp|random|gen_random_uuid)\s*\(", "times and ids are parameters"),
    (r"\bCURRENT_(TIMESTAMP|DATE|TIME)\b", "times are parameters"),
    (r"\b(serial|bigserial|smallserial)\b|GENERATED\s+(ALWAYS|BY\s+DEFAULT)\s+AS\s+IDENTITY|\bCREATE\s+SEQUENCE\b|\bnextval\b", "no sequences"),
    (r"\bCREATE\s+(TRIGGER|RULE)\b", "no triggers, no rules"),
    (r"^\s*MERGE\s+INTO\b|\bPREPARE\s+TRANSACTION\b", "not on every engine"),
    (r"\bset_config\s*\(", "scope is a literal SET LOCAL"),
    (r"\bSERIALIZABLE\b", "READ COMMITTED"),
]
# In table definitions.
DDL = [
    (r"\b(integer|int|int4|smallint|int2)\b", "bigint, never int"),
    (r"^\s*\w+\s+\w+.*\b(PRIMARY KEY|UNIQUE|REFERENCES|CHECK)\b", "constraints are named and stand apart", r"\bCONSTRAINT\b"),
    (r"ON DELETE SET", "no ON DELETE SET NULL or DEFAULT"),
]
# Reference tables: small, written by administrators, read across counties.
REFERENCE = {"area", "area_alias", "area_import", "area_tree", "credential", "bootstrap", "county",
             "known_county", "migration", "lease"}
# The files that may put SQL together.
COMPOSERS = {"common/records/composer.cc", "common/records/schema.cc"}
DYNAMIC = re.compile(
    r'(?:StrCat|StrAppend|StrFormat|Substitute)\([^;]*"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\b', re.S)
# A statement written in code: one literal, or several side by side.
LITERAL = re.compile(r'"((?:WITH|SELECT|INSERT INTO|UPDATE|DELETE FROM)\s(?:[^"\\]|\\.|"\s*")*)"')
SCOPED = re.compile(r"\bcounty_code\s*=\s*(?:\$\d|ANY|[a-z_]+\.county_code)", re.I)


def strip_comments(text):
    return re.sub(r"--[^\n]*", "", text)


def check_county(path, body):
    """One statement touches one county: every county table it reads is held to it, every row written has it."""
    inner = set(re.findall(r"\b([a-z_]+)\s+AS\s*(?:MATERIALIZED\s*)?\(", body, re.I))
    known = REFERENCE | inner | {"unnest", "set", "generate_series"}
    read = [t for t in re.findall(r"\b(?:FROM|JOIN|UPDATE)\s+([a-z_]+)", body) if t not in known]
    written = [t for t in re.findall(r"\bINTO\s+([a-z_]+)", body) if t not in known]
    problems = []
    if len(SCOPED.findall(body)) < len(read):
        problems.append(f"{path}: county_code = $ is missing for one of {', '.join(read)}")
    for table in written:
        if not re.search(r"\bINTO\s+" + table + r"\s*\(\s*county_code\b", body):
            problems.append(f"{path}: county_code leads the columns of {table}")
    return problems


def check_sql(path, text):
    problems = []
    body = strip_comments(text)
    for pattern, why in BANNED:
        if re.search(pattern, body, re.I | re.M):
            problems.append(f"{path}: {why}")
    if "/migrations/" in path:
        for rule in DDL:
            for line in body.splitlines():
                if re.search(rule[0], line, re.I) and not (len(rule) > 2 and re.search(rule[2], line, re.I)):
                    problems.append(f"{path}: {rule[1]}: {line.strip()}")
    elif "/sql/" in path:
        problems += check_county(path, body)
        if re.search(r"\b[a-z]+\.[a-z_]+\s*\(", body):
            problems.append(f"{path}: a schema's name has no place in a statement")
        if body.strip().rstrip(";").count(";"):
            problems.append(f"{path}: one statement a file")
    return problems


def check_code(path, text):
    if path in COMPOSERS or path.startswith(("common/db/", "common/testing/")) or "_test" in path:
        return []
    problems = [f"{path}: SQL is put together only in the composer"] if DYNAMIC.search(text) else []
    for literal in LITERAL.findall(text):
        body = re.sub(r'"\s*"', "", literal)
        problems += [f"{path}: {why}" for pattern, why in BANNED if re.search(pattern, body, re.I)]
        problems += check_county(path, body)
    return problems


def check_tree(root):
    problems = []
    for top in ("common", "services"):
        for base, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(base, name), root)
                with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
                    text = file.read()
                if name.endswith(".sql"):
                    problems += check_sql(path, text)
                elif name.endswith((".cc", ".h")):
                    problems += check_code(path, text)
    return problems


def self_test():
    plants = {
        "services/x/sql/a.sql": "SELECT * FROM fact WHERE county_code = $1",
        "services/x/sql/b.sql": "UPDATE fact SET at = now() WHERE county_code = $1",
        "services/x/sql/c.sql": "SELECT id FROM fact WHERE id = $1",
        "services/x/migrations/0001_a.sql": "CREATE TABLE t (\n  n integer NOT NULL\n);",
        "services/x/migrations/0002_b.sql": "CREATE TABLE t (\n  n bigint PRIMARY KEY\n);",
        "services/x/sql/e.sql": "INSERT INTO fact (id) VALUES ($1)",
        "services/x/sql/f.sql": "SELECT a.id FROM fact AS a JOIN run AS b ON b.id = a.id WHERE a.county_code = $1",
        "services/x/sql/g.sql": "DELETE FROM fact WHERE county_code = $1;\nDELETE FROM run WHERE county_code = $1",
        "services/x/migrations/0003_c.sql": "CREATE TRIGGER t AFTER INSERT ON fact",
        "services/x/migrations/0004_d.sql": "CREATE TABLE t (\n  n bigserial NOT NULL\n);",
        "services/x/h.cc": 'constexpr char k[] = "SELECT id FROM event "\n    "WHERE id = $1";',
        "services/x/i.cc": 'constexpr char k[] = "WITH m AS (UPDATE event SET id = $2) "\n    "SELECT id FROM m";',
        "services/x/d.cc": 'run(absl::StrCat("SELECT a FROM ", table));',
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
