#!/bin/sh
# Builds the widely used exporter github.com/dabealu/zookeeper-exporter into a folder, to compare alert rules with it.
# Use: fetch_incumbent.sh DIR; then WK_INCUMBENT=DIR.
# The module comes through the Go module proxy that `go env GOPROXY` names.
# Exit status: 0 there (nothing is built again), 2 usage, 3 Go, the network or the module is not to be had.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: fetch_incumbent.sh DIR" >&2
  exit 2
fi
target=$1

if [ -x "$target/zookeeper-exporter" ]; then
  echo "zookeeper-exporter is in $target"
  exit 0
fi
if ! command -v go > /dev/null; then
  echo "fetch_incumbent.sh: go is not on PATH; install the Debian package golang-go" >&2
  exit 3
fi

mkdir -p "$target"
target=$(cd "$target" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

if ! GOBIN=$target go install github.com/dabealu/zookeeper-exporter@latest > "$work/log" 2>&1; then
  echo "fetch_incumbent.sh: the incumbent is not to be had: $(tr '\n\t' '  ' < "$work/log" | cut -c 1-300)" >&2
  exit 3
fi
echo "zookeeper-exporter is in $target"
