#!/usr/bin/env bash
# Fetches what the report page's browser tests drive the browser with: the npm package playwright-core, pinned by
# version and SHA-512. It brings no browser; the tests use the system's Chromium (Debian package chromium).
#   fetch_browser_tests.sh FOLDER     puts it to FOLDER/node_modules/playwright-core
#
# What is there already is kept. Without npm or a network nothing is changed and the exit code is 1.
set -euo pipefail

version=1.65.1
sha512=hqPpz7blSMPxWVdoeE1yiBSzXsKiVOd2k+kjCvmUywD2GPO2Dd9HfcWnq9NN0GHbNZDFgZ9JfBFr+X5/BLo0qw==
folder=${1:?usage: fetch_browser_tests.sh FOLDER}
target=$folder/node_modules/playwright-core
grep -qs "\"version\": \"$version\"" "$target/package.json" && exit 0

fail() {
  echo "error: $*" >&2
  exit 1
}

command -v npm > /dev/null || fail "npm is not installed (Debian package npm)"
mkdir -p "$folder/node_modules"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching playwright-core $version …" >&2
tarball=$(cd "$work" && npm pack --loglevel error "playwright-core@$version" 2> log | tail -n 1) ||
  fail "npm could not fetch playwright-core $version (no network?): $(grep -m 1 'npm error' "$work/log" || head -n 1 "$work/log")"
actual=$(openssl dgst -sha512 -binary "$work/$tarball" | base64 -w 0)
[ "$actual" = "$sha512" ] || fail "playwright-core $version is not the pinned package: expected SHA-512 $sha512, found $actual"
tar -xzf "$work/$tarball" -C "$work"
rm -rf "$target"
mv "$work/package" "$target"
