#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""snippets.py - code in a document is code of a test: what readers copy has been compiled and run.

In the document                                                In the source
    <!-- snippet: tests/examples/embed.c predict -->               /* snippet: predict */
    ```c                                                           ...
    ...                                                            /* end */
    ```
(`# snippet: name`, `# end` in shell, YAML, Python and CMake files; the name `all` is the whole file.)

    snippets.py DOCUMENT...            rewrites the blocks
    snippets.py --check DOCUMENT...    exit code 1 if a block differs, 77 if a document is absent
    snippets.py --self-test
"""
import argparse
import os
import re
import sys
import tempfile
import textwrap

BLOCK = re.compile(r"(<!-- snippet: (\S+) (\S+) -->\n+```[^\n]*\n)(.*?)(^```)", re.S | re.M)
MARK = re.compile(r"<!-- snippet:")


def snippet(root, path, name):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        lines = f.read().split("\n")
    if name == "all":
        return "\n".join(lines).strip("\n") + "\n"
    begin = [i for i, line in enumerate(lines) if re.fullmatch(r"\s*(/\*|#) snippet: %s( \*/)?\s*" % re.escape(name), line)]
    if len(begin) != 1:
        raise ValueError("%s: snippet '%s' stands there %d times" % (path, name, len(begin)))
    for end in range(begin[0] + 1, len(lines)):
        if re.fullmatch(r"\s*(/\*|#) end( \*/)?\s*", lines[end]):
            return textwrap.dedent("\n".join(lines[begin[0] + 1:end])) + "\n"
    raise ValueError("%s: snippet '%s' has no end" % (path, name))


def renewed(root, text):
    """The document with fresh blocks, and the faults that keep a block from being fresh."""
    problems = []

    def replace(match):
        try:
            return match.group(1) + snippet(root, match.group(2), match.group(3)) + match.group(5)
        except (OSError, ValueError) as problem:
            problems.append(str(problem))
            return match.group(0)

    marks, blocks = len(MARK.findall(text)), len(BLOCK.findall(text))
    if marks != blocks:
        problems.append("%d marks but %d blocks: a mark must name file and snippet, and a fenced block must follow" % (marks, blocks))
    return BLOCK.sub(replace, text), problems


def work(root, documents, check):
    code = 0
    for document in documents:
        path = os.path.join(root, document)
        if not os.path.exists(path):
            print("snippets: skipped, there is no %s" % document)
            code = code or 77
            continue
        with open(path, encoding="utf-8") as f:
            before = f.read()
        after, problems = renewed(root, before)
        for problem in problems:
            print("%s: %s" % (document, problem))
        if problems:
            code = 1
        elif check and before != after:
            old, new = before.split("\n"), after.split("\n")
            line = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            print("%s:%d: the block differs from its source; scripts/check/snippets.py %s renews it" % (document, line + 1, document))
            code = 1
        elif not check and before != after:
            with open(path, "w", encoding="utf-8") as f:
                f.write(after)
            print("%s: renewed" % document)
        else:
            print("%s: %d snippets" % (document, len(BLOCK.findall(before))))
    return code


def self_test():
    source = "int x;\n    /* snippet: part */\n    call(a);\n      more(b);\n    /* end */\nint y;\n"
    block = "text\n<!-- snippet: a.c part -->\n```c\n%s```\nend\n"
    fresh = block % "call(a);\n  more(b);\n"
    cases = [(fresh, True, 0, fresh), (block % "old\n", True, 1, None), (block % "old\n", False, 0, fresh), (block % "", False, 0, fresh),
             (fresh.replace("part", "absent"), True, 1, None), (fresh.replace("a.c", "b.c"), True, 1, None),
             ("<!-- snippet: a.c part -->\nno block\n", True, 1, None), ("no snippet\n", True, 0, None)]
    failed = 0
    for number, (text, check, expected, result) in enumerate(cases):
        with tempfile.TemporaryDirectory() as root:
            for name, content in (("a.c", source), ("R.md", text)):
                with open(os.path.join(root, name), "w", encoding="utf-8") as f:
                    f.write(content)
            code = work(root, ["R.md"], check)
            with open(os.path.join(root, "R.md"), encoding="utf-8") as f:
                after = f.read()
            if code != expected or after != (result or text):
                print("self-test: case %d: code %d, text %r" % (number, code, after))
                failed = 1
    print("snippets self-test: %d cases, %s" % (len(cases), "failed" if failed else "passed"))
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("documents", nargs="*")
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    if not arguments.documents:
        parser.error("name a document")
    return work(os.path.abspath(arguments.root), arguments.documents, arguments.check)


if __name__ == "__main__":
    sys.exit(main())
