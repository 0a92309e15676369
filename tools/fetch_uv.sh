#!/usr/bin/env bash
# Puts the program uv (Python package uv, MIT or Apache-2.0) into the folder $1, for the test of `uv run`.
set -euo pipefail

folder=${1:?usage: fetch_uv.sh FOLDER}
[ -x "$folder/bin/uv" ] && exit 0
mkdir -p "$folder"
python3 -m pip install --quiet --no-deps --only-binary :all: --target "$folder" 'uv==0.8.0' 2>&1 | grep -v '^WARNING' || true
[ -x "$folder/bin/uv" ] || { echo "error: pip could not install uv into $folder" >&2; exit 1; }
