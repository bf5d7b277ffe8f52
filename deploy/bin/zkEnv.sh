# Where the programs, the configuration and the logs are; sourced by the other scripts beside it. Takes Apache
# ZooKeeper's variables: ZOOCFGDIR (or --config DIR), ZOOCFG, ZOO_LOG_DIR, and what zookeeper-env.sh and java.env in
# the configuration folder set. WK_BIN is the folder of our programs, or watchkeeperd itself, when it is nowhere below.
# shellcheck shell=bash

ZOOBINDIR=${ZOOBINDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}

if [ $# -gt 1 ] && [ "$1" = --config ]; then
  ZOOCFGDIR=$2
  shift 2
fi
if [ -z "${ZOOCFGDIR:-}" ]; then
  ZOOCFGDIR=$ZOOBINDIR/../etc/zookeeper
  for folder in "$ZOOBINDIR/../conf" "$ZOOCFGDIR" /etc/watchkeeper /etc/zookeeper/conf; do
    if [ -e "$folder" ]; then
      ZOOCFGDIR=$folder
      break
    fi
  done
fi
# These files are the user's, and written for scripts that take a variable which is not set for an empty one:
# export JVMFLAGS="-Xmx1g $JVMFLAGS".
set +u
for file in zookeeper-env.sh java.env; do
  # shellcheck disable=SC1090
  if [ -f "$ZOOCFGDIR/$file" ]; then . "$ZOOCFGDIR/$file"; fi
done
set -u

# zk_config NAME: the configuration file that NAME means: in the configuration folder unless it has a slash.
zk_config() {
  case $1 in
    */*) echo "$1" ;;
    *) echo "$ZOOCFGDIR/$1" ;;
  esac
}
ZOOCFG=$(zk_config "${ZOOCFG:-zoo.cfg}")
ZOO_LOG_DIR=${ZOO_LOG_DIR:-$ZOOBINDIR/../logs}

# zk_value KEY FILE: the value of a key in the form KEY=VALUE, KEY:VALUE or KEY VALUE; the last one wins.
zk_value() {
  sed -n "s/^[[:space:]]*$1[[:space:]]*[=:[:space:]][[:space:]]*//p" "$2" 2>/dev/null | tail -n 1 |
    sed 's/[[:space:]]*$//'
}

# Sets WATCHKEEPERD to the server program, or tells where it was looked for.
zk_find_server() {
  local place
  for place in "${WK_BIN:-}" "${WK_BIN:+$WK_BIN/watchkeeperd}" "$ZOOBINDIR/watchkeeperd" \
    "$ZOOBINDIR/../../build/release/bin/watchkeeperd" "$ZOOBINDIR/../../build/quickstart/bin/watchkeeperd" \
    "$(command -v watchkeeperd || true)"; do
    if [ -n "$place" ] && [ -f "$place" ] && [ -x "$place" ]; then
      WATCHKEEPERD=$place
      return 0
    fi
  done
  echo "watchkeeperd is neither in WK_BIN (${WK_BIN:-not set}), nor beside $ZOOBINDIR/zkServer.sh, nor in PATH" >&2
  return 1
}

# Sets ZK_PROPERTIES to the properties among JVM flags; everything else of them concerns a JVM.
zk_properties() { # zk_properties FLAGS...
  ZK_PROPERTIES=()
  local flag flags
  read -r -a flags <<<"${*//$'\n'/ }"
  for flag in "${flags[@]}"; do
    case $flag in
      -Djava.security.auth.login.config=*) ZK_PROPERTIES+=("$flag") ;;
      -Djava.* | -Djavax.* | -Dcom.sun.* | -Dsun.* | -Djdk.* | -Dlog4j* | -Dlogback* | -Dorg.slf4j.*) ;;
      -Dzookeeper.log.* | -Dzookeeper.root.logger=* | -Dzookeeper.console.threshold=* | -Dzookeeper.jmx.*) ;;
      -D?*) ZK_PROPERTIES+=("$flag") ;;
    esac
  done
}
