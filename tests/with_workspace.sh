#!/bin/sh
# Runs a command that sees FOLDER as /workspace, whether this machine has a /workspace or not, and leaves the machine as
# it is: all mounts are made in a namespace of the command's own.
#
#   with_workspace.sh FOLDER COMMAND [ARGUMENT...]
#
# Fails where mounting is not allowed.
set -eu

. "$(dirname "$0")/private_mounts.sh"

workspace=$1
shift
# A root folder that differs from the real one in /workspace alone (and in /mnt, where it is put together).
mount -t tmpfs tmpfs /mnt
for entry in /*; do
  case $entry in /mnt | /workspace) continue ;; esac
  if [ -L "$entry" ]; then
    cp -P "$entry" /mnt
  elif [ -d "$entry" ]; then
    mkdir "/mnt$entry"
    mount --rbind "$entry" "/mnt$entry"
  fi
done
mkdir /mnt/workspace
mount --bind "$workspace" /mnt/workspace
exec chroot /mnt sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
