"""A client that is a process of its own: it can be stopped, so that its session falls silent, and killed."""

import sys

from . import process, workspace

_CLIENT = """
import sys, time
from kazoo.client import KazooClient
client = KazooClient(sys.argv[1], timeout=float(sys.argv[2]))
client.start()
client.create(sys.argv[3], b"", ephemeral=True, makepath=True)
print(hex(client.client_id[0]), flush=True)
time.sleep(1000)
"""
_DEADLINE_S = 20


def start(address, session_s, path):
    """(process, session) of a client with an ephemeral znode at `path`, which goes on pinging."""
    output = workspace.new_folder("client") / "out.txt"
    output.touch()
    client = process.Process("client", [sys.executable, "-c", _CLIENT, address, session_s, path], stdout=output)
    process.wait_for(lambda: output.read_text().endswith("\n"), _DEADLINE_S, "the client", child=client)
    return client, output.read_text().strip()
