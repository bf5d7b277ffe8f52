# Debian 12 packages by purpose, and the function that installs those that are missing. Sourced by deploy/quickstart
# and tests/run.

# What the programs are built from.
wk_packages_build="g++ cmake ninja-build pkg-config git libboost1.81-dev libboost-system1.81-dev
  prometheus-cpp-dev libcivetweb-dev libspdlog-dev libfmt-dev libssl-dev libdeflate-dev libcrypt-dev
  zlib1g-dev libsnappy-dev nlohmann-json3-dev libyaml-cpp-dev libcli11-dev libcurl4-openssl-dev python3 python3-markdown"
# An Apache ZooKeeper ensemble to watch. The servlet API is what its AdminServer lacks in Debian's class path.
wk_packages_zookeeper="default-jre-headless libzookeeper-java libservlet-api-java"
# Prometheus and Alertmanager, with promtool and amtool.
wk_packages_monitoring="prometheus prometheus-alertmanager"
# What only the tests need.
wk_packages_tests="ccache libgtest-dev libgmock-dev python3-kazoo python3-yaml openssl ca-certificates curl iproute2 gcc
  clang-14 libclang-rt-14-dev clang-format-14"

# ZooKeeper's own clients, unchanged: zkCli.sh, the C client, and a compiler for a Java program.
wk_packages_clients="zookeeper zookeeper-bin libzookeeper-mt-dev openjdk-17-jdk-headless"

# What only the tests of the page and of the dashboards need, as COMMAND:PACKAGE: Node.js often comes from elsewhere, with
# npm in the same package, and then Debian's must not be asked for.
wk_packages_page="chromium:chromium node:nodejs npm:npm"

# wk_lacking_commands COMMAND:PACKAGE...: the packages of the commands that are not on PATH.
wk_lacking_commands() {
  local pair
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
}

# wk_install PACKAGE...: installs what is missing, as root or through sudo. Services that a package brings are not
# started.
wk_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || {
    echo "these packages are missing, and there is no apt-get to install them with: ${missing[*]}" >&2
    return 1
  }
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "run this as root, or install sudo: these packages are missing: ${missing[*]}" >&2
      return 1
    }
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get failed; the whole log is in $log" >&2
    return 1
  fi
  rm -f "$log"
}
