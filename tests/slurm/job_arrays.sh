#!/usr/bin/env bash
# Runs the tests of job arrays on a Slurm of their own: starts it, hands over to pytest, stops it.
#   job_arrays.sh EXECUTABLE [ARGUMENT OF PYTEST...]
# Exit status 77: skipped, because Slurm cannot be started here or the packages of the Python tests cannot be installed.
set -euo pipefail
executable=$(realpath "${1:?usage: job_arrays.sh EXECUTABLE [ARGUMENT OF PYTEST...]}")
shift
cd "$(dirname "$0")/../.."

folder=$(mktemp -d)
trap 'tools/slurm/cluster stop "$folder" && rm -rf "$folder"' EXIT
environment=$(tools/slurm/cluster start "$folder")
eval "$environment"
SAESCOPE_TESTS=tests/slurm tools/python_tests.sh "$executable" "$@"
