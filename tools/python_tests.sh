#!/usr/bin/env bash
# Runs the Python package's tests: pytest in tests/python, mypy and pyright.
#   python_tests.sh EXECUTABLE [ARGUMENT OF PYTEST...]
# SAESCOPE_TESTS names another folder of tests.
# They run in a virtual environment in the cache folder, which is made on first use (about 0.7 GB) with $PYTHON, else python3.
# One test runs inside a process with PyTorch. That comes from the benchmarks' environment (tools/bench_python.sh): CI makes it,
# elsewhere the test is skipped until somebody has made it.
# Exit status 77: skipped, because the packages cannot be installed.
set -euo pipefail

executable=$(realpath "${1:?usage: python_tests.sh EXECUTABLE [ARGUMENT OF PYTEST...]}")
shift
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/saescope
packages=(numpy pandas tqdm safetensors pytest nbclient ipykernel matplotlib scikit-learn mypy 'pyright[nodejs]' pandas-stubs types-tqdm)

version=$("${PYTHON:-python3}" -c 'import sys; print(f"{sys.version_info.major}.{sys.version_info.minor}")')
folder=$cache/python-tests/$version
# The list of what was installed is written last, so that an environment without it is made again.
if [ "$(cat "$folder/packages" 2> /dev/null)" != "${packages[*]}" ]; then
  echo "installing the Python tests' packages into $folder …" >&2
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  "${PYTHON:-python3}" -m venv "$folder"
  if ! "$folder/bin/pip" install --quiet "${packages[@]}" >&2; then
    echo "skipped: the packages cannot be installed; is there a network?" >&2
    exit 77
  fi
  echo "${packages[*]}" > "$folder/packages"
fi

export SAESCOPE_EXECUTABLE=$executable
if [ -z "${SAESCOPE_TORCH_PYTHON:-}" ]; then
  if [ -n "${CI:-}" ]; then
    SAESCOPE_TORCH_PYTHON=$(tools/bench_python.sh)
  else
    SAESCOPE_TORCH_PYTHON=$cache/bench/python/bin/python
  fi
fi
export SAESCOPE_TORCH_PYTHON
exec "$folder/bin/python" -m pytest "${SAESCOPE_TESTS:-tests/python}" "$@"
