#!/usr/bin/env bash
# A report that the program wrote, in the browser: its exports must have the fields of the run's CSV files.
#   run_of_program.sh EXECUTABLE GOLDENS PAGE.html FOLDER     GOLDENS: tests/goldens; the rest as for run.sh
set -euo pipefail

executable=${1:?usage: run_of_program.sh EXECUTABLE GOLDENS PAGE.html FOLDER}
pipeline=${2:?}/pipeline
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$executable" --config "$pipeline/config.toml" --prompts-path "$pipeline/prompts" --analysis both --threshold 0.2 \
  --features-csv "$pipeline/features.csv" --no-cache --quiet --universal-output "$work/universal.csv" \
  --specific-output "$work/specific.csv" --token-activations "$work/tokens.jsonl" \
  --contrast-output "$work/contrast.csv" --contrast-q 1 --report "$work/report.html" > /dev/null
export SAESCOPE_REPORT=$work/report.html SAESCOPE_UNIVERSAL_CSV=$work/universal.csv
export SAESCOPE_CONTRAST_CSV=$work/contrast.csv
"$(dirname "$0")/run.sh" "$3" "$4" page_exports.test.mjs
