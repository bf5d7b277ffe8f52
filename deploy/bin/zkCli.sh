#!/usr/bin/env bash
# The shell of a client: hands its arguments to Apache ZooKeeper's, where that is installed.
#
#   zkCli.sh -server HOST:PORT[,...] [COMMAND ...]
#
# Looked for in $ZOOKEEPER_HOME/lib, in CLASSPATH, and where Debian's package libzookeeper-java puts it; with the java
# of JAVA_HOME or PATH. CLIENT_JVMFLAGS and JVMFLAGS are taken as Apache's script takes them.
set -u
ZOOBINDIR=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=zkEnv.sh
. "$ZOOBINDIR/zkEnv.sh"

java=${JAVA_HOME:+$JAVA_HOME/bin/java}
java=${java:-$(command -v java || true)}
class_path=${CLASSPATH:-}
if [ -n "${ZOOKEEPER_HOME:-}" ] && ls "$ZOOKEEPER_HOME"/lib/zookeeper-[0-9]*.jar >/dev/null 2>&1; then
  class_path=$ZOOKEEPER_HOME/conf:$ZOOKEEPER_HOME/lib/*:$class_path
elif [[ $class_path != *zookeeper*.jar* ]] && [ -f /usr/share/java/zookeeper.jar ]; then
  class_path=/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar:$class_path
fi
if [[ $class_path != *zookeeper* ]] || ! [ -x "$java" ]; then
  echo "zkCli.sh: Watchkeeper has no shell of its own yet, and Apache ZooKeeper's client is not here: install Debian's" \
    "packages libzookeeper-java and default-jre-headless, or set ZOOKEEPER_HOME to an unpacked release and JAVA_HOME to" \
    "a Java" >&2
  exit 1
fi
read -r -a flags <<<"${CLIENT_JVMFLAGS:-} ${JVMFLAGS:-}"
exec "$java" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -XX:+UseSerialGC "${flags[@]}" -cp "$class_path" \
  org.apache.zookeeper.ZooKeeperMain "$@"
