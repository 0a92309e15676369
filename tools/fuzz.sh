#!/usr/bin/env bash
# Builds the fuzz targets and runs each for a while.
#   fuzz.sh SECONDS [TARGET...]     TARGET as in tests/fuzz/TARGET_fuzz.cc; all of them where none is named
# JOBS=N runs N of them at once. Inputs that reach something new are kept in build/asan/fuzz/corpus for the next run.
# Exit status 1: an input crashed, took longer than 10 s or too much memory; the last lines say where it lies.
set -euo pipefail

seconds=${1:?usage: fuzz.sh SECONDS [TARGET...]}
shift
cd "$(dirname "$0")/.."
build=build/asan
fuzz=$build/fuzz
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cc; do
    targets+=("$(basename "$source" _fuzz.cc)")
  done
fi

# Goldens that are inputs of a target. Larger ones would only slow it down.
golden_names() {
  case "$1" in
    safetensors) echo '*.safetensors' ;;
    gguf) echo '*.gguf' ;;
    npz) echo '*.npz' ;;
    torch_archive) echo '*.pt' ;;
    model_config | sae_config) echo 'config.json' ;;
    tokenizer_config) echo 'tokenizer_config.json' ;;
    tokenizer) echo 'tokenizer.json' ;;
    prompts) echo '*.jsonl' ;;
    features_csv) echo '*.csv' ;;
    configuration) echo '*.toml' ;;
  esac
}

run_target() {
  local target=$1 status=0
  local corpus=$fuzz/corpus/$target goldens=$fuzz/goldens/$target artifacts=$fuzz/artifacts/$target
  local log=$fuzz/$target.log options=() seeds=("tests/fuzz/corpus/$target" "$goldens")
  rm -rf "$goldens"
  mkdir -p "$corpus" "$goldens" "$artifacts"
  find tests/goldens -name "$(golden_names "$target")" -size -17k -exec cp --parents -t "$goldens" {} +
  [ -f "tests/fuzz/$target.dict" ] && options+=("-dict=tests/fuzz/$target.dict")
  [ -d "tests/fuzz/regressions/$target" ] && seeds+=("tests/fuzz/regressions/$target")
  "$build/tests/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$artifacts/" "${options[@]}" \
    "$corpus" "${seeds[@]}" > "$log" 2>&1 || status=$?
  local reached executions
  reached=$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+/[^ ]+' "$log" | tail -n 1 || true)
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  printf '%-17s %9s executions, %s, %s\n' "$target" "${executions:-?}" "${reached:-no coverage}" \
    "$([ $status -eq 0 ] && echo 'nothing found' || echo 'FOUND SOMETHING')"
  [ $status -eq 0 ] && return
  {
    grep -E '^SUMMARY|^==[0-9]+== *ERROR|terminate called|runtime error' "$log" | head -n 3 || tail -n 3 "$log"
    echo "  input:      $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
    echo "  all it said: $log"
    echo "  run it:     $build/tests/fuzz/${target}_fuzz INPUT"
    echo "  keep it:    copy it to tests/fuzz/regressions/$target/SHORT-NAME, which the test fuzz.$target.corpus runs"
  } | sed 's/^/    /'
  return 1
}

cmake --preset asan > /dev/null
mkdir -p "$fuzz"
cmake --build --preset asan --target fuzz > "$fuzz/build.log" 2>&1 || { tail -n 40 "$fuzz/build.log" >&2; exit 1; }
for target in "${targets[@]}"; do
  [ -x "$build/tests/fuzz/${target}_fuzz" ] || { echo "error: there is no fuzz target $target" >&2; exit 2; }
done

found=0
running=0
for target in "${targets[@]}"; do
  if [ "$running" -ge "${JOBS:-1}" ]; then
    wait -n || found=1
    running=$((running - 1))
  fi
  run_target "$target" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || found=1
  running=$((running - 1))
done
exit "$found"
