#!/usr/bin/env bash
# Prints a Python that can run the benchmarks' PyTorch script: $PYTHON where it has the packages, else one in a virtual
# environment in the cache folder, which is made on first use (about 2 GB).
set -euo pipefail

packages=(transformers==5.23.0 gguf==0.19.0 accelerate pandas einops tqdm)
check='import torch, transformers, gguf, pandas, importlib.metadata as m; m.version("dictionary-learning")'
folder=${XDG_CACHE_HOME:-$HOME/.cache}/saescope/bench/python

for python in "${PYTHON:-}" python3 "$folder/bin/python"; do
  if [ -n "$python" ] && "$python" -c "$check" > /dev/null 2>&1; then
    echo "$python"
    exit 0
  fi
done
echo "installing PyTorch and transformers into $folder …" >&2
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
python3 -m venv "$folder"
{
  "$folder/bin/pip" install --quiet torch==2.13.0  # first: later packages must not choose another build
  "$folder/bin/pip" install --quiet "${packages[@]}"
  "$folder/bin/pip" install --quiet --no-deps dictionary-learning==0.1.0
} >&2
echo "$folder/bin/python"
