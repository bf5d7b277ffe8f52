#!/usr/bin/env bash
# Removes snapshots and logs that the newest snapshots make unnecessary: zkCleanup.sh -n COUNT, at least 3. May run
# beside the server. The folders are those of the configuration (ZOOCFGDIR, ZOOCFG).
set -u
ZOOBINDIR=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=zkEnv.sh
. "$ZOOBINDIR/zkEnv.sh"

if [ $# -ne 2 ] || [ "$1" != -n ] || ! [[ $2 =~ ^[0-9]{1,9}$ ]] || [ "$((10#$2))" -lt 3 ]; then
  {
    echo "Usage: $0 -n count"
    printf '\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3\n'
  } >&2
  exit 1
fi
zk_find_server || exit 1
zk_properties "${SERVER_JVMFLAGS:-} ${JVMFLAGS:-}"
exec "$WATCHKEEPERD" "${ZK_PROPERTIES[@]}" --purge="$((10#$2))" "$ZOOCFG"
