#!/usr/bin/env bash
# Runs the unit tests of a cross build under qemu's user mode.
#   run_emulated.sh BUILD_FOLDER SYSROOT TEST…
# SKIP: tests that are left out, as --gtest_filter names them (A.*:B.*).
set -euo pipefail

usage='usage: run_emulated.sh BUILD_FOLDER SYSROOT TEST…'
build=${1:?$usage} sysroot=${2:?$usage}
shift 2
run() { echo "== $1"; OMP_WAIT_POLICY=passive qemu-aarch64 -L "$sysroot" "$@"; }

# qemu does not pass on what the system says of the page cache, which reading ahead is tested by, and links into the
# emulated root lead out of it.
for test in "$@"; do run "$build/$test" --gtest_brief=1 --gtest_filter="-ReadAheadTest.*:TorchLibraryTest.AVersionThatLacks*:${SKIP:-}"; done
# What is built of these.
[ ! -x "$build/tests/cross_test" ] || run "$build/tests/cross_test" --gtest_brief=1 --gtest_filter='*TinyModel*:*SaeTest*'
[ ! -x "$build/run_sae_analysis" ] || run "$build/run_sae_analysis" --version
