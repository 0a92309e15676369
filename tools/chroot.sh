# Functions of the scripts that try things on a bare system of another Debian release; read with `source`.

# Prints the address of the Debian mirror that this machine's apt uses.
debian_mirror() {
  local mirror
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null | grep -v '^#' |
    grep -m 1 -oE 'https?://[^ ]*/debian/?( |$)' || true)
  [ -n "$mirror" ] || { echo "error: found no Debian mirror in /etc/apt" >&2; return 1; }
  mirror=${mirror% }
  echo "${mirror%/}"
}

# Makes the folder $2 a bare system of release $1, if it is none yet, and opens it: with /dev and /proc, this machine's name
# server, certificates, pip and npm settings. It is closed when the script ends.
open_chroot() {
  local release=$1
  chroot_folder=$2
  if [ ! -e "$chroot_folder/etc/debian_version" ]; then
    local mirror
    mirror=$(debian_mirror)
    debootstrap --variant=minbase "$release" "$chroot_folder" "$mirror"
  fi
  trap close_chroot EXIT
  mount --bind /dev "$chroot_folder/dev"
  mount -t devpts devpts "$chroot_folder/dev/pts"
  mount -t proc proc "$chroot_folder/proc"
  mount -t sysfs sysfs "$chroot_folder/sys"

  cp /etc/resolv.conf "$chroot_folder/etc/resolv.conf"
  copy_certificates
  local settings
  for settings in /etc/pip.conf "$HOME/.npmrc"; do
    [ -e "$settings" ] && install -D -m 600 "$settings" "$chroot_folder/${settings/#$HOME//root}"
  done
  return 0
}

close_chroot() {
  local mounted
  for mounted in proc sys dev/pts dev; do
    mountpoint -q "$chroot_folder/$mounted" && umount -l "$chroot_folder/$mounted"
  done
  return 0
}

copy_certificates() {
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$chroot_folder/etc/ssl/certs/ca-certificates.crt"
}

# Runs a command in the open system, in an environment that has what is needed to reach package registries and no more.
in_chroot() {
  local name environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
  for name in http_proxy https_proxy no_proxy NODE_EXTRA_CA_CERTS PIP_CERT PIP_INDEX_URL npm_config_registry; do
    [ -n "${!name:-}" ] && environment+=("$name=${!name}")
  done
  chroot "$chroot_folder" /usr/bin/env -i "${environment[@]}" "$@"
}

# Installs Debian packages in the open system.
install_in_chroot() {
  in_chroot apt-get -qq update
  in_chroot apt-get -qq install --no-install-recommends -y "$@" > /dev/null
  copy_certificates  # installing ca-certificates writes the bundle anew
}
