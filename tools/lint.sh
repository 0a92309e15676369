#!/usr/bin/env bash
# clang-format over everything, clang-tidy over the sources; any finding is an error.
#   lint.sh BUILD_FOLDER          (configured, with compile_commands.json)
#   lint.sh BUILD_FOLDER deep     also the tests, and the static analyser
set -euo pipefail

build=${1:?usage: lint.sh BUILD_FOLDER [deep]}
depth=${2:-}
cd "$(dirname "$0")/.."
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
