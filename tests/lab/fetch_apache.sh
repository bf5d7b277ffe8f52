#!/bin/sh
# Fetches Apache ZooKeeper with everything that its server can use (AdminServer, TLS, the Prometheus provider) from
# Maven Central into one folder of jars.  Use: fetch_apache.sh VERSION DIR; then WK_APACHE_CLASSPATH=DIR.
# Exit status: 0 there (nothing is fetched again), 2 usage, 3 Maven, the network or that version is not to be had.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: fetch_apache.sh VERSION DIR   (for example: fetch_apache.sh 3.9.5 build/apache-3.9.5)" >&2
  exit 2
fi
version=$1
target=$2

if [ -e "$target/zookeeper-$version.jar" ] && [ -e "$target/complete" ]; then
  cat "$target/complete"
  exit 0
fi
if ! command -v mvn > /dev/null; then
  echo "fetch_apache.sh: mvn is not on PATH; install the Debian package maven" >&2
  exit 3
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The provider is not published for every version (3.9.5 has none), hence a range: the newest that is not newer than the
# server and of the same minor version.  All other versions are those of ZooKeeper's own parent.
cat > "$work/pom.xml" << END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>lab</groupId>
  <artifactId>apache</artifactId>
  <version>1</version>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>org.apache.zookeeper</groupId><artifactId>parent</artifactId><version>$version</version>
        <type>pom</type><scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>org.apache.zookeeper</groupId><artifactId>zookeeper</artifactId><version>$version</version>
    </dependency>
    <dependency>
      <groupId>org.apache.zookeeper</groupId><artifactId>zookeeper-prometheus-metrics</artifactId>
      <version>[${version%.*},$version]</version>
    </dependency>
    <dependency>
      <groupId>org.eclipse.jetty</groupId><artifactId>jetty-server</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>org.eclipse.jetty</groupId><artifactId>jetty-servlet</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>org.eclipse.jetty</groupId><artifactId>jetty-client</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>com.fasterxml.jackson.core</groupId><artifactId>jackson-databind</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>io.dropwizard.metrics</groupId><artifactId>metrics-core</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>org.xerial.snappy</groupId><artifactId>snappy-java</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>commons-cli</groupId><artifactId>commons-cli</artifactId><scope>compile</scope>
    </dependency>
    <dependency>
      <groupId>ch.qos.logback</groupId><artifactId>logback-classic</artifactId><scope>compile</scope>
    </dependency>
  </dependencies>
</project>
END

if ! mvn -B -q -Dstyle.color=never -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars" \
    > "$work/log" 2>&1; then
  reason=$(grep -m 1 -o -E 'Could not .*|Non-resolvable .*|was not found .*' "$work/log" ||
    tail -n 1 "$work/log")
  reason=$(printf '%s' "$reason" | cut -c 1-300)
  echo "fetch_apache.sh: ZooKeeper $version is not to be had from Maven Central: $reason" >&2
  exit 3
fi

mkdir -p "$target"
cp "$work"/jars/*.jar "$target/"
provider=$(basename "$(ls "$target"/zookeeper-prometheus-metrics-*.jar)" .jar)
echo "zookeeper-$version and $provider: $(ls "$target"/*.jar | wc -l) jars" | tee "$target/complete"
