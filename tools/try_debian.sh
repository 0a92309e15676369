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
source "$repository/tools/chroot.sh"

open_chroot "$release" "$folder"
# What a stranger types: git and make, then the repository's own commands.
install_in_chroot git make ca-certificates
rm -rf "$folder/root/saescope"
git clone -q "$repository" "$folder/root/saescope"
in_chroot bash -c "cd /root/saescope && $command"
