#!/usr/bin/env bash
# The demo: both analyses of the shipped prompts with the demo model and the shipped SAEs.
#   demo.sh EXECUTABLE
set -euo pipefail

executable=${1:?usage: demo.sh EXECUTABLE}
cd "$(dirname "$0")/.."
results=results/demo
tools/fetch_demo_model.sh

# An unchanged program, configuration and input give the same results: nothing is done twice.
inputs=("$executable" demo/demo.toml demo/features.csv demo/sae/*/*/* prompts/*.jsonl)
newest=$(ls -t "${inputs[@]}" | head -n 1)
if [ "$results/report.html" -nt "$newest" ]; then
  echo "results are up to date in $results (remove the folder to run again)"
else
  "$executable" --config demo/demo.toml --analysis both \
    --universal-output $results/universal.csv --threshold 0.3 \
    --features-csv demo/features.csv --specific-output $results/specific.csv --record-prompts \
    --token-activations $results/tokens.jsonl --contrast-output $results/contrast.csv \
    --report $results/report.html
fi

for file in universal.csv contrast.csv specific.csv specific_activeprompts.jsonl tokens.jsonl; do
  printf '\n== %s/%s (%s lines)\n' "$results" "$file" "$(wc -l < "$results/$file")"
  head -n 4 "$results/$file" | cut -c 1-150
done
cat << EOF

See it: open $(pwd)/$results/report.html in a browser (xdg-open, or file:// and this path).

What to try next:
  $executable --config demo/demo.toml --analysis universal --universal-output results/everywhere.csv --threshold 1.0
  $executable --config demo/demo.toml --analysis specific --features-csv results/demo/universal.csv \\
      --specific-output results/specific.csv --record-prompts
  $executable --config demo/demo.toml --show-tokens | head -n 3
  $executable --dry-run --analysis universal --universal-output results/universal.csv     # the two 8B models
  $executable --help
EOF
