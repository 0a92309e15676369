#!/usr/bin/env bash
# Fetches the report page's plotting library, uPlot (MIT): an npm package pinned by version and SHA-512.
#   fetch_page_library.sh FOLDER     puts uPlot.iife.min.js, uPlot.min.css and LICENSE there
#
# What is there already is kept. Without npm or a network nothing is changed and the exit code is 1.
set -euo pipefail

version=1.6.32
sha512=KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==
folder=${1:?usage: fetch_page_library.sh FOLDER}
[ -f "$folder/uPlot.iife.min.js" ] && [ -f "$folder/uPlot.min.css" ] && [ -f "$folder/LICENSE" ] &&
  [ "$(cat "$folder/version" 2> /dev/null)" = "$version" ] && exit 0

fail() {
  printf 'error: %s\n  hint:     put uPlot.iife.min.js, uPlot.min.css and LICENSE of the npm package uplot %s into %s,\n' "$1" "$version" "$folder" >&2
  printf '            and the line "%s" into its file version\n' "$version" >&2
  exit 1
}

command -v npm > /dev/null || fail "npm is not installed (Debian package npm)"
mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching uPlot $version …" >&2
tarball=$(cd "$work" && npm pack --loglevel error "uplot@$version" 2> log | tail -n 1) ||
  fail "npm could not fetch uplot $version (no network?): $(grep -m 1 'npm error' "$work/log" || head -n 1 "$work/log")"
actual=$(openssl dgst -sha512 -binary "$work/$tarball" | base64 -w 0)
[ "$actual" = "$sha512" ] || fail "uplot $version is not the pinned package: expected SHA-512 $sha512, found $actual"
tar -xzf "$work/$tarball" -C "$work"
mv "$work/package/dist/uPlot.iife.min.js" "$work/package/dist/uPlot.min.css" "$work/package/LICENSE" "$folder/"
echo "$version" > "$folder/version"
