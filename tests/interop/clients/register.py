"""Registers a service as users do it with kazoo: register.py HOSTS NAME ADDRESS [TIMEOUT_S].

Prints the path of the znode and stays until it is killed or its standard input ends.
"""

import sys

from kazoo.client import KazooClient

hosts, name, address = sys.argv[1:4]
zk = KazooClient(hosts=hosts, timeout=float(sys.argv[4]) if len(sys.argv) > 4 else 10.0)
zk.start()
service = f"/services/{name}"
if not zk.exists(service):
    zk.create(service, makepath=True)
path = zk.create(f"{service}/instance-", address.encode("utf-8"), ephemeral=True, sequence=True)
print(path, flush=True)
sys.stdin.read()
zk.stop()
