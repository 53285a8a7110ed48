#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""picture.py REPORT/index.html OUT.svg: two figures of the report of studies/kolmogorov.yaml side by side, for the README: energy against
viscosity, and error against time. Times in the figure belong to the machine and the run of that report."""
import re
import sys


def figures(page):
    """all (width, height, inside) of figures in the page, in its order"""
    found = re.finditer(r'<svg\s+viewBox="0 0 (\d+) (\d+)"\s*>(.*?)</svg>', page, re.S)
    return [(int(m[1]), int(m[2]), m[3]) for m in found if int(m[1]) > 100]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    page = open(sys.argv[1], encoding="utf-8").read()
    response = figures(page[page.index("Against viscosity"):])[0]
    against_time = next(f for f in figures(page) if f[:2] == (450, 330))
    title = 'font-family="sans-serif" font-size="14" font-weight="bold" fill="#1b1f24"'
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 370" color="#1b1f24" font-family="sans-serif">',
           '<rect width="880" height="370" fill="#ffffff"/>',
           f'<text x="16" y="24" {title}>energy: surrogate, interval, test labels</text>',
           f'<text x="446" y="24" {title}>error: surrogate (blue), cheaper solver (red)</text>',
           f'<g transform="translate(0 44) scale({420 / response[0]:.4f})">{response[2]}</g>',
           f'<g transform="translate(430 36)">{against_time[2]}</g>', "</svg>\n"]
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write(re.sub(r"\n\s*\n+", "\n", "\n".join(out)))


if __name__ == "__main__":
    main()
