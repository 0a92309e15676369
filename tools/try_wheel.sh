#!/usr/bin/env bash
# Tries a wheel as its users do, on bare systems without a compiler: makes chroots of Debian releases with Python alone, installs the
# wheel into a fresh virtual environment and runs it in an empty environment. Needs root and debootstrap.
#   try_wheel.sh WHEEL FOLDER [RELEASE …]      bookworm and trixie where none is named
#
# The chroots are kept in FOLDER and used again; tools/chroot.sh says what they get of this machine. The demo's analysis in float32
# must give the same bytes everywhere, and the same as build/release/run_sae_analysis where that is built.
set -euo pipefail

usage='usage: try_wheel.sh WHEEL FOLDER [RELEASE …]'
wheel=$(realpath "${1:?$usage}")
folder=$(realpath -m "${2:?$usage}")
shift 2
[ $# -gt 0 ] || set -- bookworm trixie
cd "$(dirname "$0")/.."
source tools/chroot.sh
tools/fetch_demo_model.sh
model=${XDG_CACHE_HOME:-$HOME/.cache}/saescope/demo
analysis=(--config demo/demo.toml --analysis both --threshold 0.3 --features-csv demo/features.csv --record-prompts)
outputs() { printf -- '--universal-output %s/universal.csv --specific-output %s/specific.csv --contrast-output %s/contrast.csv --report %s/report.html' "$1" "$1" "$1" "$1"; }
mkdir -p "$folder"

# Every command of the wheel runs like this: nothing in the environment, not even PATH or HOME.
bare() { chroot "$chroot_folder" /usr/bin/env -i -C /root/demo "$@"; }
seconds() { awk -v from="$1" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f", to - from }'; }

expected=
if [ -x build/release/run_sae_analysis ]; then
  expected=$folder/expected
  rm -rf "$expected"
  mkdir -p "$expected"
  begin=$(date +%s.%N)
  # shellcheck disable=SC2046
  build/release/run_sae_analysis "${analysis[@]}" --dtype fp32 --no-cache $(outputs "$expected") > "$expected/log" 2>&1
  echo "build/release/run_sae_analysis: the demo's analysis in float32 took $(seconds "$begin") s"
fi

for release in "$@"; do
  (
    open_chroot "$release" "$folder/$release"
    install_in_chroot python3 python3-venv ca-certificates
    for tool in cc gcc g++ clang make cmake npm; do
      ! in_chroot sh -c "command -v $tool" > /dev/null || { echo "error: $release has $tool" >&2; exit 1; }
    done
    root=$chroot_folder/root
    rm -rf "$root"/{demo,venv,uv,wheel,out}
    mkdir -p "$root"/{demo,wheel,out} "$root/.cache/saescope/demo"
    cp -r demo prompts "$root/demo"
    cp -u "$model"/*.gguf "$root/.cache/saescope/demo/"
    cp "$wheel" "$root/wheel/"
    file=/root/wheel/$(basename "$wheel")

    in_chroot python3 -m venv /root/venv
    in_chroot /root/venv/bin/pip install --quiet --disable-pip-version-check "$file"
    version=$(bare /root/venv/bin/run_sae_analysis --version)
    python=$(bare /root/venv/bin/python -c 'import platform, saescope, saescope._executable as e, subprocess as s
assert s.check_output([e.find(), "--version"], text=True).split()[1] == saescope.__version__
print("Python", platform.python_version(), "glibc", platform.libc_ver()[1], "saescope", saescope.__version__)')
    bare /root/venv/bin/python -m saescope --version > /dev/null
    for dtype in bf16 fp32; do
      begin=$(date +%s.%N)
      mkdir -p "$root/out/$dtype"
      # shellcheck disable=SC2046
      bare /root/venv/bin/run_sae_analysis "${analysis[@]}" --dtype $dtype --no-cache $(outputs /root/out/$dtype) \
        > "$root/out/$dtype/log" 2>&1 || { cat "$root/out/$dtype/log" >&2; exit 1; }
      times+=" $dtype $(seconds "$begin") s"
    done
    if [ -n "$expected" ]; then
      for output in universal.csv specific.csv specific_activeprompts.jsonl contrast.csv; do
        cmp "$root/out/fp32/$output" "$expected/$output"
      done
      same=", in float32 the bytes of build/release"
    fi
    in_chroot python3 -m venv /root/uv
    in_chroot /root/uv/bin/pip install --quiet --disable-pip-version-check uv==0.8.0
    uvx=$(in_chroot /root/uv/bin/uvx --quiet --native-tls --from "$file" run_sae_analysis --version)
    [ "$uvx" = "$version" ]
    echo "$release: $python; $version, with uvx too; the demo's analysis:$times${same:-}"
  )
done
