"""A server that answers the words of a ZooKeeper member with strings made to harm a page that shows them."""

import socketserver
import threading

from lab import ports

# Without blanks, at which some fields of the answers end. Each would leave a trace if it were parsed as markup or run: an
# element with the attribute harm, or a property of the window.
MARKUP = '<img/src="x"/onerror="window.__harmed=1"/harm><script/harm>window.__harmed=2</script>'
QUOTES = '"><b harm onmouseover=window.__harmed=3>\'`${window.__harmed=4}`'
TURNED = "\u202egnp.exe\u2066\u200f"
LONG = "very-long-" * 300


def _lines(pairs):
    return "".join(f"{key}\t{value}\n" for key, value in pairs).encode()


_MNTR = _lines([
    ("zk_version", f"3.9.5-{MARKUP}{TURNED}, built on {QUOTES}"), ("zk_server_state", "standalone"),
    ("zk_peer_state", f"broadcast{MARKUP}"), ("zk_ephemerals_count", 0), ("zk_num_alive_connections", 3),
    ("zk_avg_latency", "0.25"), ("zk_max_latency", 9), ("zk_min_latency", 0), ("zk_outstanding_requests", 0),
    ("zk_znode_count", 17), ("zk_watch_count", 1), ("zk_global_sessions", 3),
    ("zk_local_sessions", 0), ("zk_approximate_data_size", 410), ("zk_min_latency", 0), ("zk_open_file_descriptor_count", 77),
    ("zk_max_file_descriptor_count", 1024), ("zk_packets_received", 123), ("zk_packets_sent", 124), ("zk_uptime", 60000),
    *((f"zk_{kind}_{name}_write_per_namespace", value) for name in ('a"b', f"{MARKUP}", "c\\d", TURNED)
      for kind, value in (("avg", "5.0"), ("min", 5), ("max", 5), ("cnt", 2), ("sum", 10)))])
_SRVR = (f"Zookeeper version: 3.9.5-{MARKUP}{TURNED}, built on {QUOTES}\nLatency min/avg/max: 0/0.25/9\nReceived: 123\n"
         "Sent: 124\nConnections: 3\nOutstanding: 0\nZxid: 0x1f\nMode: standalone\nNode count: 17\n").encode()
_CONF = (f"clientPort=2181\ndataDir=/{MARKUP}\ndataLogDir={QUOTES}\ntickTime={TURNED}2000\nserverId=0\n{MARKUP}={MARKUP}\n"
         f"maxSessionTimeout={LONG}\nsecret=caf\u00e9 ").encode() + b"\xff\xfe\x00end\n"
_CONS = "".join(
    f" /10.0.0.{number}:4000{number}[1](queued=0,recved={number},sent={number},sid=0x10000{number},lop={operation},est=1700000000000,"
    f"to=30000,lcxid=0x1,lzxid=0x1,lresp=1,llat=0,minlat=0,avglat=0,maxlat=1)\n"
    for number, operation in enumerate((MARKUP, QUOTES, TURNED, "PING"), 1)).encode() + b"\n"
_ANSWERS = {b"mntr": _MNTR, b"srvr": _SRVR, b"stat": _SRVR, b"conf": _CONF, b"cons": _CONS, b"ruok": b"imok", b"isro": b"rw"}


class HostileMember:
    """Listens on a loopback port; a context manager."""

    def __init__(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(2)
                try:
                    word = self.request.recv(4)
                    self.request.sendall(_ANSWERS.get(word, b"%s is not executed because it is not in the whitelist.\n" % word))
                except OSError:
                    pass

        self.port = ports.reserve()
        self.address = f"127.0.0.1:{self.port}"
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.allow_reuse_address = True
        self._server.server_bind()
        self._server.server_activate()

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        ports.release(self.port)
