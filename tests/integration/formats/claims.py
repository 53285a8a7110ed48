# SPDX-License-Identifier: BSD-3-Clause
"""claims.py - counts what a check states; what is false is printed at once, and fails the check at its end."""
import sys

FAILED = []
N_CLAIMS = 0


def claim(condition, text):
    global N_CLAIMS
    N_CLAIMS += 1
    if not condition:
        FAILED.append(text)
        print("FAILED:", text)


def finish(name):
    print(f"{name}: {N_CLAIMS} claims, {len(FAILED)} failed")
    sys.exit(1 if FAILED else 0)
