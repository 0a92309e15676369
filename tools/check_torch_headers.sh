#!/usr/bin/env bash
# Compiles tests/torch/headers_check.cc against the headers of the PyTorch that is found: that of SAESCOPE_TORCH, the active
# Python's, or the benchmarks' (tools/bench_python.sh). Ends with 77, which CTest takes for skipped, where there is none.
#   tools/check_torch_headers.sh COMPILER
set -euo pipefail
cd "$(dirname "$0")/.."
compiler=${1:-c++}
ask='import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")'
bench=${XDG_CACHE_HOME:-$HOME/.cache}/saescope/bench/python/bin/python

found=
named=${SAESCOPE_TORCH:-}
for folder in "${named%/lib}" "$(python3 -c "$ask" 2> /dev/null)" "$("$bench" -c "$ask" 2> /dev/null)"; do
  if [ -n "$folder" ] && [ -e "$folder/include/torch/csrc/stable/c/shim.h" ]; then
    found=$folder
    break
  fi
done
if [ -z "$found" ]; then
  echo "skipped, nothing was tested: no PyTorch with headers (tools/bench_python.sh installs one)" >&2
  exit 77
fi
echo "headers of $found"
"$compiler" -std=c++20 -fsyntax-only -Isrc -isystem "$found/include" tests/torch/headers_check.cc
