#!/usr/bin/env bash
# Starts, stops and asks watchkeeperd with the arguments, the environment and the messages of Apache ZooKeeper's
# zkServer.sh.
#
#   zkServer.sh [--config DIR] {start|start-foreground|stop|version|restart|status|print-cmd} [FILE]
#
# FILE (default zoo.cfg) without a slash is looked up in the configuration folder. JVMFLAGS and SERVER_JVMFLAGS: their
# properties (-Dzookeeper.KEY=VALUE) reach the server, flags of the JVM do not. Differs from Apache's: "stop" waits until
# the process has ended, $WK_STOP_SECONDS (30) at most, and exits with 1 when it has not; a pid file that another program's
# process has inherited is not believed, the log of earlier starts is kept, and nothing is said about JMX.
set -u
ZOOBINDIR=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=zkEnv.sh
. "$ZOOBINDIR/zkEnv.sh"

usage() {
  echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}" >&2
}

verb=${1:-}
case $verb in
  start | start-foreground | stop | restart | status | print-cmd) ;;
  version)
    zk_find_server || exit 1
    echo "Watchkeeper, version $("$WATCHKEEPERD" --version | sed 's/^[^ ]* //')"
    exit 0
    ;;
  *)
    usage
    exit 0
    ;;
esac
if [ -n "${2:-}" ]; then ZOOCFG=$(zk_config "$2"); fi
echo "Using config: $ZOOCFG" >&2

data_dir=$(zk_value dataDir "$ZOOCFG")
data_log_dir=$(zk_value dataLogDir "$ZOOCFG")
autocreate=()
if [ -n "${ZOO_DATADIR_AUTOCREATE_DISABLE:-}" ]; then
  if [ ! -d "$data_dir/version-2" ]; then
    echo "ZooKeeper data directory is missing at $data_dir fix the path or run initialize"
    exit 1
  fi
  if [ -n "$data_log_dir" ] && [ ! -d "$data_log_dir/version-2" ]; then
    echo "ZooKeeper txnlog directory is missing at $data_log_dir fix the path or run initialize"
    exit 1
  fi
  autocreate=(-Dzookeeper.datadir.autocreate=false)
fi
pid_file=${ZOOPIDFILE:-${data_dir:+$data_dir/zookeeper_server.pid}}
ZOO_LOG_FILE=${ZOO_LOG_FILE:-zookeeper-${USER:-$(id -un)}-server-${HOSTNAME:-$(uname -n)}.log}
console_log=$ZOO_LOG_DIR/${ZOO_LOG_FILE%.log}.out

server_command() { # sets `command`
  zk_find_server || exit 1
  zk_properties "${SERVER_JVMFLAGS:-} ${JVMFLAGS:-}"
  command=("$WATCHKEEPERD" "${autocreate[@]}" "${ZK_PROPERTIES[@]}" "$ZOOCFG")
}

# Whether process $1 is there, whoever owns it; one that has ended and that its parent has not asked about is not.
lives() {
  local facts
  { facts=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  facts=${facts##*) }
  [ "${facts%% *}" != Z ]
}

# Sets `pid` to the process of the pid file when it lives and is a ZooKeeper server.
running() {
  [ -n "$pid_file" ] && [ -f "$pid_file" ] || return 1
  pid=$(cat "$pid_file")
  [[ $pid =~ ^[0-9]+$ ]] && lives "$pid" || return 1
  case $(cat "/proc/$pid/comm" 2>/dev/null || echo java) in
    watchkeeperd | java) return 0 ;;
    *) return 1 ;;
  esac
}

start() {
  server_command
  echo -n "Starting zookeeper ... "
  if running; then
    echo "already running as process $pid."
    exit 1
  fi
  mkdir -p "$ZOO_LOG_DIR"
  if [ -n "$pid_file" ]; then mkdir -p "$(dirname "$pid_file")"; fi
  nohup "${command[@]}" >>"$console_log" 2>&1 </dev/null &
  local child=$!
  if [ -z "$pid_file" ]; then
    # The server says itself what is wrong with a configuration that names no dataDir.
    wait "$child"
    echo "FAILED TO START"
    tail -n 3 "$console_log" >&2
    exit 1
  fi
  sleep 1
  if ! lives "$child"; then
    echo "FAILED TO START"
    tail -n 3 "$console_log" >&2
    exit 1
  fi
  # Only now: the file of a server that still runs is not to name a process that could not start beside it.
  if ! echo -n "$child" >"$pid_file"; then
    echo "FAILED TO WRITE PID"
    kill "$child"
    exit 1
  fi
  echo STARTED
}

stop() {
  echo -n "Stopping zookeeper ... "
  if [ -z "$pid_file" ] || [ ! -f "$pid_file" ]; then
    echo "no zookeeper to stop (could not find file $pid_file)"
    return
  fi
  if running; then
    # An orderly end takes milliseconds; a log on a slow disk may take seconds.
    local seconds=${WK_STOP_SECONDS:-30} waited=
    if kill "$pid"; then
      waited=" after $seconds s"
      for _ in $(seq $((10 * seconds))); do
        lives "$pid" || break
        sleep 0.1
      done
    fi
    if lives "$pid"; then
      echo "FAILED TO STOP"
      echo "process $pid still runs$waited; $pid_file still names it" >&2
      exit 1
    fi
  fi
  rm -f "$pid_file"
  echo STOPPED
}

# Sets `host` and `port` from HOST:PORT, [HOST]:PORT or PORT.
split_address() {
  case $1 in
    \[*\]:*)
      host=${1#\[}
      host=${host%%\]:*}
      ;;
    *:*) host=${1%:*} ;;
  esac
  port=${1##*:}
}

ask_srvr() {
  # shellcheck disable=SC2016
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf srvr >&3 && cat <&3' "$host" "$port" 2>/dev/null
}

status() {
  local ssl=false server id dynamic mode
  host=$(zk_value clientPortAddress "$ZOOCFG")
  host=${host:-localhost}
  port=$(zk_value clientPort "$ZOOCFG")
  if ! [[ $port =~ ^[0-9]+$ ]]; then
    port=
    id=$(cat "$data_dir/myid" 2>/dev/null)
    if ! [[ $id =~ ^[0-9]+$ ]]; then
      echo "myid could not be determined, will not able to locate clientPort in the server configs."
    else
      server=$(zk_value "server\.$id" "$ZOOCFG")
      if [[ $server != *\;* ]]; then
        echo "Client port not found in static config file. Looking in dynamic config file."
        dynamic=$(zk_value dynamicConfigFile "$ZOOCFG")
        server=$(zk_value "server\.$id" "$dynamic")
      fi
      if [[ $server == *\;* ]]; then
        split_address "${server##*;}"
      else
        echo "Client port not found in the server configs"
      fi
    fi
  fi
  if [ -z "$port" ]; then
    echo "Client port not found. Looking for secureClientPort in the static config."
    port=$(zk_value secureClientPort "$ZOOCFG")
    if [ -z "$port" ]; then
      echo "Unable to find either secure or unsecure client port in any configs. Terminating."
      exit 1
    fi
    ssl=true
    host=$(zk_value secureClientPortAddress "$ZOOCFG")
    host=${host:-localhost}
  fi
  echo "Client port found: $port. Client address: $host. Client SSL: $ssl."
  if $ssl; then
    echo "Note: a port with TLS is not asked by this script; ask the server's HTTP port for /readyz instead." >&2
    mode=
  else
    mode=$(ask_srvr | grep Mode)
  fi
  if [ -z "$mode" ]; then
    echo "Error contacting service. It is probably not running."
    exit 1
  fi
  echo "$mode"
}

case $verb in
  start) start ;;
  start-foreground)
    server_command
    if [ -n "${ZOO_NOEXEC:-}" ]; then
      "${command[@]}"
      exit
    fi
    exec "${command[@]}"
    ;;
  print-cmd)
    server_command
    printf '"%s"' "${command[0]}"
    printf ' "%s"' "${command[@]:1}"
    printf ' >> "%s" 2>&1 < /dev/null\n' "$console_log"
    ;;
  stop) stop ;;
  restart)
    stop
    start
    ;;
  status) status ;;
esac
