#!/usr/bin/env bash
# clang-format over everything, clang-tidy over the sources; any finding is an error.
#   lint.sh          configures build/lint, for a list of the sources one by one
#   lint.sh deep     also the tests, and the static analyser
set -euo pipefail

depth=${1:-}
cd "$(dirname "$0")/.."
build=build/lint
cmake --preset release -B "$build" -DSAESCOPE_UNITY=OFF > /dev/null
git ls-files '*.h' '*.cc' | xargs clang-format --dry-run -Werror
echo "clang-format: clean"

options=(--quiet --extra-arg=-Wno-unknown-warning-option)
files=$(git ls-files 'src/*.cc' | grep -v '_test\.cc$')
if [ "$depth" = deep ]; then
  options+=("--checks=clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions")
  files=$(git ls-files 'src/*.cc' 'tests/*.cc')
fi
if ! xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" "${options[@]}" <<< "$files" > "$build/clang-tidy.log" 2>&1; then
  grep -E '(warning|error):' "$build/clang-tidy.log" | sort -u >&2
  exit 1
fi
echo "clang-tidy: clean"
