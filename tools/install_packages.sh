#!/usr/bin/env bash
# Installs the Debian packages that are missing, and says which.
#   install_packages.sh build            what a build needs
#   install_packages.sh build demo       also what fetches the demo model
#   install_packages.sh build arm        also what cross-builds for aarch64 and runs it under an emulator
#   install_packages.sh build wheel      also what makes the Python wheel
#   install_packages.sh slurm            what runs a Slurm on this machine (tools/slurm/cluster), which the tests of job arrays need
#   install_packages.sh build develop    also what the tests, the lint, the fuzzers and the benches need
set -euo pipefail

build_packages=(g++ cmake ninja-build pkg-config ccache ca-certificates
  libdnnl-dev libhwy-dev ocl-icd-opencl-dev libpcre2-dev libutf8proc-dev nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libfmt-dev
  libcurl4-openssl-dev libssl-dev zlib1g-dev libgtest-dev libgmock-dev openssl npm)
demo_packages=(python3 python3-pip unzip)
develop_packages=("${demo_packages[@]}" clang-format clang-tidy clang libclang-rt-dev libomp-dev libbenchmark-dev python3-venv
  nodejs chromium qemu-user)
wheel_packages=(dpkg-dev python3-venv)
slurm_packages=(slurm-wlm munge)
arm_packages=(g++-aarch64-linux-gnu qemu-user)

packages=()
for group in "$@"; do
  case "$group" in
    build) packages+=("${build_packages[@]}") ;;
    demo) packages+=("${demo_packages[@]}") ;;
    develop) packages+=("${develop_packages[@]}") ;;
    wheel) packages+=("${wheel_packages[@]}") ;;
    slurm) packages+=("${slurm_packages[@]}") ;;
    arm) packages+=("${arm_packages[@]}") ;;
    *) echo "error: unknown group $group (build, demo, wheel, develop, slurm, arm)" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query > /dev/null; then
  echo "note: not a Debian system; the build needs what these packages hold: ${packages[*]}" >&2
  exit 0
fi

# libFuzzer belongs to one version of clang: it is there where the compiler finds it.
has_libfuzzer() {
  local library
  library=$(clang++ -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a 2> /dev/null) && [ -f "$library" ]
}

# A tool that is there from elsewhere (a newer cmake, a Node.js with npm) need not be installed again.
provided() {
  case "$1" in
    g++ | cmake | ccache | clang-format | clang-tidy | python3 | unzip | npm | openssl | chromium) command -v "$1" > /dev/null ;;
    nodejs) command -v node > /dev/null ;;
    clang) command -v clang++ > /dev/null ;;
    libclang-rt-dev) has_libfuzzer ;;
    ninja-build) command -v ninja > /dev/null ;;
    python3-pip) python3 -m pip --version > /dev/null 2>&1 ;;
    *) dpkg-query -W -f '${Status}' "$1" 2> /dev/null | grep -q 'ok installed' ;;
  esac
}

missing=()
for package in "${packages[@]}"; do
  provided "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || { echo "error: run as root or with sudo: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
       apt-get install -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "error: apt-get could not install them; is there a network? Install them by hand and run this again." >&2
  exit 1
fi
