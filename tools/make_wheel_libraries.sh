#!/usr/bin/env bash
# Builds the libraries that the wheel's executable holds and Debian has no fitting static library of, from Debian's source
# packages: oneDNN, Highway, fmt, and libcurl with OpenSSL alone (Debian's own needs 27 libraries for protocols unused here).
#   make_wheel_libraries.sh FOLDER      include/, lib/, licences/ and the file versions are put into it; CMake and Ninja are those of PATH
#
# Needs Debian's package dpkg-dev. Debian 12's source of oneDNN is older than Debian 13's by three years of processors.
set -euo pipefail

folder=$(realpath -m "${1:?usage: make_wheel_libraries.sh FOLDER}")
sources=(curl:bookworm fmtlib:bookworm highway:bookworm onednn:trixie)

# Another recipe, or another compiler, makes them anew.
stamp=$folder/.made
wanted="$(sha256sum < "$0") $(g++ -dumpfullversion)"
[ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ] && exit 0

source "$(dirname "$0")/chroot.sh"
mirror=$(debian_mirror)

rm -rf "$folder"
mkdir -p "$folder/licences"
work=$folder/.work  # the same each time: the compiler cache knows sources by their paths
mkdir "$work"
trap 'rm -rf "$work"' EXIT
command -v ccache > /dev/null && export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache

# An apt of its own, which knows source packages: this system's settings stay as they are.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
for release in bookworm trixie; do
  mkdir -p "$work/$release/lists/partial"
  for suite in "debian $release" "debian $release-updates" "debian-security $release-security"; do
    printf 'deb-src [signed-by=%s] %s/%s %s main\n' "$keyring" "${mirror%/debian}" "${suite% *}" "${suite#* }"
  done > "$work/$release/sources.list"
done
apt_of() {
  local release=$1 command=$2
  shift 2
  "$command" -qq -o Dir::Etc::sourcelist="$work/$release/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$work/$release/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Dpkg::Use-Pty=0 "$@"
}

# Unpacks a source package, Debian's patches applied, to $work/NAME. A mirror may lack the newest: then the next.
fetch() {
  local name=$1 release=$2 version newest=
  for version in $(apt_of "$release" apt-cache showsrc "$name" | sed -n 's/^Version: //p' | sort -rVu); do
    newest=${newest:-$version}
    mkdir -p "$work/$name.package"
    if (cd "$work/$name.package" && apt_of "$release" apt-get source "$name=$version") > "$work/log" 2>&1; then
      [ "$version" = "$newest" ] || echo "warning: the mirror lacks $name $newest, taking $version" >&2
      mv "$work/$name.package"/*/ "$work/$name"
      cp "$work/$name/debian/copyright" "$folder/licences/$name"
      echo "$name $version" | tee -a "$folder/versions"
      return
    fi
    rm -rf "$work/$name.package"
  done
  tail -n 5 "$work/log" >&2
  echo "error: cannot fetch the Debian source package $name of $release" >&2
  exit 1
}

build() {
  local name=$1
  shift
  echo "building $name …"
  if ! { cmake -G Ninja -S "$work/$name" -B "$work/$name.build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$folder" \
           -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
           -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "$@" &&
         cmake --build "$work/$name.build" ${JOBS:+-j "$JOBS"} --target install; } > "$work/log" 2>&1; then
    tail -n 30 "$work/log" >&2
    echo "error: $name does not build" >&2
    exit 1
  fi
  rm -rf "$work/$name.build"
}

echo "fetching source packages …"
for release in bookworm trixie; do apt_of "$release" apt-get update; done
for source in "${sources[@]}"; do fetch "${source%:*}" "${source#*:}"; done

build fmtlib -DFMT_TEST=OFF -DFMT_DOC=OFF
build highway -DBUILD_TESTING=OFF -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF
# Where certificates lie differs among distributions: the program looks for them when it runs (src/hub/certificates.h).
build curl -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DOPENSSL_USE_STATIC_LIBS=ON \
  -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_USE_LIBSSH2=OFF -DCURL_USE_LIBPSL=OFF -DUSE_LIBIDN2=OFF -DCURL_ZLIB=OFF \
  -DCURL_DISABLE_NTLM=ON -DENABLE_UNIX_SOCKETS=OFF -DENABLE_MANUAL=OFF
# Debian takes spdlog from another package; the code that would use it is switched off.
sed -i '/find_package(spdlog REQUIRED)/d' "$work/onednn/src/CMakeLists.txt"
# Sources of primitives that are switched off would be compiled all the same. What were missed would stop the wheel's link.
find "$work/onednn/src/cpu" -regextype posix-extended -not -name 'cpu_*_list.cpp' -not -name '*inner_product_utils.cpp' \
  -regex '.*(conv[^e]|pool|rnn|lrn|softmax|normalization|resampling|shuffle|prelu|reduction|inner_product)[^/]*(/[^/]*)?\.cpp' -delete
build onednn -DDNNL_LIBRARY_TYPE=STATIC -DDNNL_BUILD_EXAMPLES=OFF -DDNNL_BUILD_TESTS=OFF -DDNNL_BUILD_DOC=OFF -DONEDNN_BUILD_GRAPH=OFF \
  -DDNNL_ENABLE_WORKLOAD=INFERENCE '-DDNNL_ENABLE_PRIMITIVE=MATMUL;REORDER' -DDNNL_ENABLE_JIT_PROFILING=OFF \
  -DDNNL_ENABLE_ITT_TASKS=OFF -DDNNL_ARCH_OPT_FLAGS=
cat "$work/onednn/THIRD-PARTY-PROGRAMS" >> "$folder/licences/onednn"
echo "$wanted" > "$stamp"
