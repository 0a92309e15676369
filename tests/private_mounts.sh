# To be sourced: the script starts anew where what it mounts is seen by itself and its commands alone, and leaves the
# machine as it is. Fails where mounting is not allowed.
if [ "${SAESCOPE_MOUNTS_ARE_PRIVATE:-}" != yes ]; then
  export SAESCOPE_MOUNTS_ARE_PRIVATE=yes
  if [ "$(id -u)" = 0 ]; then
    exec unshare --mount --propagation private "$0" "$@"
  fi
  exec unshare --map-root-user --mount --propagation private "$0" "$@"
fi
