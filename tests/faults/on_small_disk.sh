#!/bin/sh
# Runs a command that sees FOLDER as a small disk of its own (a tmpfs with these mount options) holding what the
# folder holds; afterwards the folder holds what the disk held. The mount is seen by the command alone.
#
#   on_small_disk.sh OPTIONS FOLDER COMMAND [ARGUMENT...]
#
# Fails where mounting is not allowed.
set -eu

. "$(dirname "$0")/../private_mounts.sh"

options=$1
folder=$2
shift 2
disk=$(mktemp -d)
trap 'umount "$disk" 2>/dev/null; rmdir "$disk"' EXIT
mount -t tmpfs -o "${options%,ro}" tmpfs "$disk"
cp -a "$folder/." "$disk"
mount --bind "$disk" "$folder"
case $options in *,ro) mount -o remount,bind,ro "$folder" ;; esac
status=0
"$@" || status=$?
umount "$folder"
find "$folder" -mindepth 1 -delete
cp -a "$disk/." "$folder"
exit "$status"
