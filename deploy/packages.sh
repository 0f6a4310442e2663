# shellcheck shell=bash disable=SC2034
# The Debian packages Fadu needs, in one place; sourced by deploy/quickstart and tests/run.

FADU_BUILD_PACKAGES=(g++ cmake ninja-build ccache mold pkg-config git ca-certificates
  libgrpc++-dev libgrpc-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libpqxx-dev libpq-dev libgmp-dev prometheus-cpp-dev libgtest-dev libgmock-dev libssl-dev libyaml-cpp-dev
  libboost1.81-dev
  postgresql-15 postgresql-client-15 adduser procps)
# Prometheus starts a service of its own on a real Debian; tests start theirs on a free port.
FADU_TEST_PACKAGES=(python3 python3-yaml python3-grpcio python3-protobuf prometheus)
# libFuzzer comes with clang; tests/run --full only.
FADU_FUZZ_PACKAGES=(clang-14 libclang-rt-14-dev llvm-14)
FADU_NODE_PACKAGES=(nodejs npm)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$1"
  exit 71
}

# Runs a command as root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "需要 root 权限安装软件包：请以 root 运行，或先安装 sudo / run as root, or install sudo first"
  fi
}

# Installs those of the packages named that are missing.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "安装 / installing: ${missing[*]}"
  # A cluster of Debian's own is not needed: Fadu starts a private one.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  if ! { as_root apt-get -o DPkg::Lock::Timeout=300 -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y \
      --no-install-recommends "${missing[@]}"; } >install.log 2>&1; then
    grep -E '^(E|W|Err):?' install.log | head -20 >&2
    die "软件包安装失败，详见 install.log / could not install, see install.log: ${missing[*]}"
  fi
}

# Debian 12, and the system user PostgreSQL runs as when we are root.
prepare_machine() {
  [ -r /etc/os-release ] && . /etc/os-release
  if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-}" != 12 ]; then
    die "需要 Debian 12，本机为 ${PRETTY_NAME:-unknown} / Debian 12 is needed, this is ${PRETTY_NAME:-unknown}"
  fi
  install_packages "$@"
  if [ "$(id -u)" = 0 ] && ! id fadu >/dev/null 2>&1; then
    adduser --system --group --no-create-home --quiet fadu
  fi
}
