"""Finds the instances of a service as users do it with kazoo: discover.py HOSTS NAME.  One "path address" a line."""

import sys

from kazoo.client import KazooClient

hosts, name = sys.argv[1:3]
zk = KazooClient(hosts=hosts)
zk.start()
service = f"/services/{name}"
for child in zk.get_children(service):
    data, stat = zk.get(f"{service}/{child}")
    print(f"{service}/{child} {data.decode('utf-8')}")
zk.stop()
