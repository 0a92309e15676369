#!/usr/bin/env bash
# Unpacks the libraries of another architecture, as Debian packages them, into a folder; this system's own packages stay as
# they are.
#   make_sysroot.sh ARCHITECTURE FOLDER      ARCHITECTURE as dpkg names it: arm64
set -euo pipefail

architecture=${1:?usage: make_sysroot.sh ARCHITECTURE FOLDER}
folder=$(realpath -m "${2:?usage: make_sysroot.sh ARCHITECTURE FOLDER}")
packages=(libc6-dev libstdc++6 libdnnl-dev libhwy-dev libpcre2-dev libutf8proc-dev nlohmann-json3-dev libtomlplusplus-dev
  libcli11-dev libfmt-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libgtest-dev libgmock-dev)

# The list names what the folder holds: other packages, or another release, make it anew.
stamp="$folder/.packages"
wanted="$(cat /etc/debian_version) ${packages[*]}"
[ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ] && exit 0

# An apt of its own: no package counts as installed, so that it fetches everything that the packages depend on.
apt=$folder/.apt
rm -rf "$folder"
mkdir -p "$apt"/{lists,archives}/partial
: > "$apt/status"
options=(-qq -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" -o Dir::State::lists="$apt/lists"
  -o Dir::State::status="$apt/status" -o Dir::Cache::archives="$apt/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Dpkg::Use-Pty=0)
echo "fetching $architecture packages into $folder …" >&2
apt-get "${options[@]}" update
apt-get "${options[@]}" --download-only --no-install-recommends -y install "${packages[@]}" > /dev/null
for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done
rm -rf "$apt"

# Links from the root would lead into this system.
find "$folder" -type l -lname '/*' | while read -r link; do ln -sfn "$folder$(readlink "$link")" "$link"; done
echo "$wanted" > "$stamp"
