#!/usr/bin/env bash
# clang-format and clang-tidy over the whole repository; any finding is an error.
#   lint.sh BUILD_FOLDER     (configured, with compile_commands.json)
set -euo pipefail

build=${1:?usage: lint.sh BUILD_FOLDER}
cd "$(dirname "$0")/.."
git ls-files '*.h' '*.cc' | xargs clang-format --dry-run -Werror
echo "clang-format: clean"
git ls-files '*.cc' | grep -v '^bench/' | xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option 2> /dev/null
echo "clang-tidy: clean"
