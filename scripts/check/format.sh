#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# format.sh - reports C files that clang-format would change; changes nothing.
#
#     format.sh            files that differ from the last commit, or are new
#     format.sh --all      every file that git knows
#     format.sh FILE...    these
# Exit code 1 if a file differs, 77 if clang-format is absent.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v clang-format >/dev/null || { echo "format: skipped, no clang-format"; exit 77; }
case "${1:-}" in
--all) files=$(git ls-files '*.c' '*.h' '*.inc') ;;
"") files=$( (git diff --name-only --diff-filter=d HEAD; git ls-files --others --exclude-standard) | grep -E '\.(c|h|inc)$' | sort -u) ;;
*) files=$* ;;
esac
differ=0
checked=0
for file in $files; do
    checked=$((checked + 1))
    clang-format --dry-run -Werror "$file" >/dev/null 2>&1 || { echo "format: clang-format -i $file"; differ=$((differ + 1)); }
done
echo "format: $checked files, $differ differ"
[ $differ -eq 0 ]
