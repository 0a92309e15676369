#!/usr/bin/env bash
# Builds and tests the committed state on a bare system of another Debian release: makes a chroot, clones the repository into
# it and runs `make demo` and `make test` there, with their times. Needs root and debootstrap.
#   try_debian.sh RELEASE FOLDER [COMMAND]     RELEASE: bookworm, trixie …; COMMAND instead of the two
#
# The chroot is kept in FOLDER and used again. Packages come from the mirror of this machine's apt; this machine's
# certificates, pip and npm settings are used in it.
set -euo pipefail

release=${1:?usage: try_debian.sh RELEASE FOLDER [COMMAND]}
folder=$(realpath -m "${2:?usage: try_debian.sh RELEASE FOLDER [COMMAND]}")
command=${3:-'time make demo && time make test'}
repository=$(cd "$(dirname "$0")/.." && pwd)

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null | grep -v '^#' |
  grep -m 1 -oE 'https?://[^ ]*/debian/?( |$)' || true)
[ -n "$mirror" ] || { echo "error: found no Debian mirror in /etc/apt" >&2; exit 1; }
[ -e "$folder/etc/debian_version" ] || debootstrap --variant=minbase "$release" "$folder" "$mirror"

unmount() {
  for mounted in proc sys dev/pts dev; do
    mountpoint -q "$folder/$mounted" && umount -l "$folder/$mounted"
  done
  return 0
}
trap unmount EXIT
mount --bind /dev "$folder/dev"
mount -t devpts devpts "$folder/dev/pts"
mount -t proc proc "$folder/proc"
mount -t sysfs sysfs "$folder/sys"

cp /etc/resolv.conf "$folder/etc/resolv.conf"
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
for settings in /etc/pip.conf "$HOME/.npmrc"; do
  [ -e "$settings" ] && install -D -m 600 "$settings" "$folder/${settings/#$HOME//root}"
done

environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
for name in http_proxy https_proxy no_proxy NODE_EXTRA_CA_CERTS PIP_CERT PIP_INDEX_URL npm_config_registry; do
  [ -n "${!name:-}" ] && environment+=("$name=${!name}")
done
in_chroot() { chroot "$folder" /usr/bin/env -i "${environment[@]}" "$@"; }

# What a stranger types: git and make, then the repository's own commands.
in_chroot bash -c 'apt-get -qq update && apt-get -qq install --no-install-recommends -y git make ca-certificates > /dev/null'
# Installing ca-certificates writes the bundle anew: once more this machine's.
install -m 644 /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
rm -rf "$folder/root/saescope"
git clone -q "$repository" "$folder/root/saescope"
in_chroot bash -c "cd /root/saescope && $command"
