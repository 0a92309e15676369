#!/usr/bin/env bash
# Runs the unit tests of a cross build under qemu's user mode.
#   run_emulated.sh BUILD_FOLDER SYSROOT TEST…
set -euo pipefail

usage='usage: run_emulated.sh BUILD_FOLDER SYSROOT TEST…'
build=${1:?$usage} sysroot=${2:?$usage}
shift 2
run() { echo "== $1"; OMP_WAIT_POLICY=passive qemu-aarch64 -L "$sysroot" "$@"; }

for test in "$@"; do run "$build/$test" --gtest_brief=1; done
run "$build/run_sae_analysis" --version
