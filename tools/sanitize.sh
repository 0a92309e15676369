#!/usr/bin/env bash
# The unit tests and whole runs under AddressSanitizer and UndefinedBehaviorSanitizer, and what runs on several threads (operators,
# reading ahead, whole runs, the hub client) under ThreadSanitizer. The first finding fails the test that made it.
#
# ThreadSanitizer is clang's: its OpenMP runtime tells the sanitizer about barriers, GCC's does not. Modules that are
# not instrumented (oneDNN) are left out.
#   sanitize.sh          all of it
#   sanitize.sh quick    under ThreadSanitizer the operators, reading ahead and the hub client alone: the rest takes a third of the time
set -euo pipefail
quick=${1:-}
cd "$(dirname "$0")/.."

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  cmake --preset "$preset" > /dev/null
  mkdir -p "build/$preset"
  cmake --build --preset "$preset" --target "$@" > "build/$preset/build.log" 2>&1 ||
    { tail -n 40 "build/$preset/build.log" >&2; exit 1; }
}

# Whole runs of the executable of PRESET; the tests themselves need not be instrumented.
run_pipeline() {
  SAESCOPE_EXECUTABLE=$PWD/build/$1/run_sae_analysis build/${PRESET:-release}/tests/cross_test \
    --gtest_brief=1 --gtest_filter='Pipeline.*:Report.*:TokenActivations.*'
}

export OMP_WAIT_POLICY=passive
export SAESCOPE_TORCH=/nowhere  # PyTorch is not instrumented, and its OpenMP is another one: what needs it is skipped
build "${PRESET:-release}" cross_test

unit_tests=()
for folder in src/*/; do
  compgen -G "$folder*_test.cc" > /dev/null && unit_tests+=("$(basename "$folder")_test")
done
build asan "${unit_tests[@]}" hub_protocol_test run_sae_analysis
ctest --preset asan -j "$(nproc)" -R '^[a-z]+\.' -E '^(cross|faults|fuzz|hostile|page|python|slurm|torch)\.|NOT_BUILT'
run_pipeline asan

export TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}"
if [ "$quick" = quick ]; then
  build tsan tensor_test ops_test hub_protocol_test
  ctest --preset tsan -j "$(nproc)" -R '^(tensor|ops|hub)\.' -E NOT_BUILT
  exit 0
fi
build tsan tensor_test ops_test engine_test hub_protocol_test run_sae_analysis
ctest --preset tsan -j "$(nproc)" -R '^(tensor|ops|app|hub)\.' -E NOT_BUILT
run_pipeline tsan
