#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sizes.py - C files of more than 1000 lines and functions of more than 100 are refused, unless a comment in the file gives
the reason: `size: one table, read best in one piece`.

    sizes.py [--root FOLDER] [--self-test]
"""
import argparse
import os
import re
import sys
import tempfile

FILE_MAX, FUNCTION_MAX = 1000, 100
REASON = re.compile(r"\bsize: \w+")


def functions(lines):
    """(name, first line, number of lines): bodies open and close in column 0, as .clang-format has it."""
    begin = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{" and begin is None:
            begin = number
        elif line.startswith("}") and begin is not None:
            head = " ".join(lines[max(0, begin - 6):begin - 1])
            names = re.findall(r"(\w+)\s*\(", head)
            yield (names[0] if names else "?"), begin, number - begin + 1
            begin = None


def faults(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not f.startswith("build") and f != "runs")
        for name in sorted(files):
            if not name.endswith((".c", ".h", ".inc")):
                continue
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8", errors="replace") as f:
                text = f.read()
            if REASON.search(text):
                continue
            lines, shown = text.split("\n"), os.path.relpath(path, root)
            if len(lines) - 1 > FILE_MAX:
                yield "%s: %d lines, at most %d" % (shown, len(lines) - 1, FILE_MAX)
            if name.endswith(".h"):
                continue
            for function, line, n in functions(lines):
                if n > FUNCTION_MAX:
                    yield "%s:%d: %s has %d lines, at most %d" % (shown, line, function, n, FUNCTION_MAX)


def self_test():
    body = lambda n: "static int f(int a,\n             int b)\n{\n" + "    a += b;\n" * (n - 2) + "}\n"
    cases = {"short.c": (body(100), 0), "long.c": (body(101), 1), "two.c": (body(50) + body(200), 1), "file.c": (body(10) * 84, 1),
             "reason.c": ("/* size: one table */\n" + body(300), 0), "file.h": ("int a;\n" * 1001, 1)}
    failed = 0
    for name, (text, expected) in cases.items():
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, name), "w", encoding="utf-8") as f:
                f.write(text)
            found = list(faults(root))
            if len(found) != expected:
                print("self-test: %s: %s" % (name, found))
                failed = 1
    print("sizes self-test: %d cases, %s" % (len(cases), "failed" if failed else "passed"))
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    found = list(faults(os.path.abspath(arguments.root)))
    for line in found:
        print(line)
    print("sizes: %d faults" % len(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
