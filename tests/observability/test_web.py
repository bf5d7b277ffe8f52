"""The HTTP side of the exporter: formats, compression, authentication, TLS, health, the JSON documents, the end."""

import base64
import concurrent.futures
import crypt
import gzip
import http.client
import http.server
import os
import pathlib
import pty
import re
import signal
import socket
import ssl
import subprocess
import textwrap
import threading
import time
import unittest

from lab import apache, faults, ports, process, proxy, stack, tls, workspace

import exposition
import watching

_OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
_COUNTER_SAMPLE = re.compile(r"_total$|_created$")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# Below and above the server's 64 connections at a time; a request has to be there within its time limit.
_FEW_CLIENTS = 50
_MANY_CLIENTS = 100
_REQUEST_TIMEOUT_S = 5
_STATES = {"serving", "read_only", "looking", "syncing", "not_serving", "unreachable"}


def request(port, method, path, headers=None, context=None):
    """(status, headers as a list of pairs with lower-case names, body) of one request."""
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context) if context
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=10))
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, [(name.lower(), text) for name, text in answer.getheaders()], answer.read()
    finally:
        connection.close()


def header(headers, name):
    """The values of one header, joined as HTTP joins them."""
    return ", ".join(text for key, text in headers if key == name)


def openmetrics_families(test, text):
    """Checks the rules of OpenMetrics 1.0 that 0.0.4 does not have; returns {family: type}."""
    test.assertTrue(text.endswith("# EOF\n"))
    test.assertEqual(text.count("# EOF"), 1)
    types, order, seen = {}, [], set()
    for line in text.splitlines()[:-1]:
        test.assertNotEqual(line, "")
        if line.startswith("#"):
            word, name, rest = line[2:].split(" ", 2)
            test.assertIn(word, ("TYPE", "HELP", "UNIT"), line)
            if word == "TYPE":
                test.assertNotIn(name, types, "TYPE twice")
                test.assertIn(rest, ("counter", "gauge", "histogram", "summary", "info", "stateset", "unknown"))
                types[name] = rest
            continue
        name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line).group()
        series = line.rpartition(" ")[0]
        test.assertNotIn(series, seen, "series twice")
        seen.add(series)
        owner = next((name.removesuffix(suffix) for suffix in ("_total", "_created", "_bucket", "_sum", "_count", "")
                      if name.endswith(suffix) and name.removesuffix(suffix) in types), None)
        test.assertIsNotNone(owner, f"{line} without TYPE")
        if types[owner] == "counter":
            test.assertRegex(name, _COUNTER_SAMPLE)
        if not order or order[-1] != owner:
            test.assertNotIn(owner, order, f"the lines of {owner} do not stand together")
            order.append(owner)
    return types


class Served(watching.LabTestCase):
    """One exporter on one standalone server and one name that does not resolve."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 1)
        cls.member = cls.ensemble.member(1).address
        path = watching.write_configuration(cls.ensemble.folder, [
            {"name": "good", "members": [cls.member]},
            {"name": "bad", "canary": "off", "members": ["127.0.0.1:1", "name.invalid:2181"]}],
            families=["native", "zk", "zookeeper39"])
        cls.exporter = cls.class_lab(stack.Exporter, [f"--config.file={path}"])
        watching.wait_until_visited(cls.exporter)
        watching.wait_for_state(cls.exporter, cls.member, "serving", 10)
        watching.wait_for_source(cls.exporter, cls.member, "conf", "ok", 30)
        cls.port = cls.exporter.port

    def get(self, path, headers=None):
        return request(self.port, "GET", path, headers)


class Formats(Served):
    """/metrics by negotiation."""

    def test_text_format_is_the_default(self):
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "text/html,*/*;q=0.1"}, {"Accept": "text/plain"}):
            code, answered, body = self.get("/metrics", headers)
            self.assertEqual(code, 200)
            self.assertEqual(header(answered, "content-type"), "text/plain; version=0.0.4; charset=utf-8")
            self.assertEqual(header(answered, "cache-control"), "no-store")
            self.assertIn("accept", header(answered, "vary").lower())
            parsed = exposition.parse(body.decode())
            self.assertEqual(parsed.value("watchkeeper_member_serving_state", member=self.member, state="serving"), 1)

    def test_openmetrics_is_asked_for(self):
        for accept, version in ((_OPENMETRICS, "1.0.0"), ("application/openmetrics-text; version=0.0.1", "0.0.1")):
            code, answered, body = self.get("/metrics", {"Accept": accept})
            self.assertEqual(code, 200)
            self.assertEqual(header(answered, "content-type"),
                             f"application/openmetrics-text; version={version}; charset=utf-8")
            types = openmetrics_families(self, body.decode())
            self.assertEqual(types["watchkeeper_ensemble_unserved_seconds"], "counter")
            self.assertEqual(types["watchkeeper_ensemble_election_duration_seconds"], "histogram")
            self.assertEqual(types["watchkeeper_ensemble_quorum_margin"], "gauge")

    def test_both_formats_tell_the_same(self):
        plain = {family.name for family in exposition.parse(self.get("/metrics?family=native")[2].decode())
                 .families.values()}
        types = openmetrics_families(self, self.get("/metrics?family=native", {"Accept": _OPENMETRICS})[2].decode())
        self.assertEqual({name + ("_total" if kind == "counter" else "") for name, kind in types.items()}, plain)

    def test_openmetrics_is_refused_with_q_zero(self):
        answered = self.get("/metrics", {"Accept": "application/openmetrics-text;q=0,text/plain"})[1]
        self.assertIn("text/plain", header(answered, "content-type"))

    def test_gzip(self):
        code, answered, packed = self.get("/metrics", {"Accept-Encoding": "gzip"})
        self.assertEqual((code, header(answered, "content-encoding")), (200, "gzip"))
        self.assertEqual(int(header(answered, "content-length")), len(packed))
        text = gzip.decompress(packed)
        exposition.parse(text.decode())
        self.assertLess(len(packed), len(text) / 5)
        self.assertIn("accept-encoding", header(answered, "vary").lower())
        for refused in ("identity", "gzip;q=0", "br", ""):
            code, answered, body = self.get("/metrics", {"Accept-Encoding": refused})
            self.assertEqual((code, header(answered, "content-encoding")), (200, ""), refused)
            exposition.parse(body.decode())

    def test_families_by_query(self):
        def prefixes(query):
            code, _, body = self.get("/metrics" + query)
            self.assertEqual(code, 200)
            names = exposition.parse(body.decode()).families
            return {"native" if name.startswith(("watchkeeper_ensemble", "watchkeeper_member", "watchkeeper_canary"))
                    else "zk" if name.startswith("zk_")
                    else "exporter" if name.startswith(("watchkeeper_", "process_")) else "zookeeper39"
                    for name in names}
        self.assertEqual(prefixes(""), {"native", "zk", "zookeeper39", "exporter"})
        self.assertEqual(prefixes("?family=native"), {"native"})
        self.assertEqual(prefixes("?family=zk"), {"zk"})
        self.assertEqual(prefixes("?family=zookeeper39"), {"zookeeper39"})
        self.assertEqual(prefixes("?family=exporter"), {"exporter"})
        self.assertEqual(prefixes("?family=native&family=zk"), {"native", "zk"})
        self.assertEqual(prefixes("?family=native,zk"), {"native", "zk"})
        code, _, body = self.get("/metrics?family=nativ")
        self.assertEqual(code, 400)
        self.assertIn("did you mean", body.decode())

    def test_build_info_and_own_process(self):
        parsed = exposition.parse(self.get("/metrics?family=exporter")[2].decode())
        info = parsed.select("watchkeeper_build_info")
        self.assertEqual(len(info), 1)
        self.assertEqual(info[0].value, 1)
        self.assertRegex(info[0].labels["version"], r"^\d+\.\d+\.\d+$")
        resident = parsed.value("process_resident_memory_bytes")
        self.assertLess(abs(resident - self.exporter.process.resident_bytes()), 4e6)
        self.assertGreater(parsed.value("process_cpu_seconds_total"), 0)
        self.assertGreater(parsed.value("process_open_fds"), 3)


class Http(Served):
    """Methods, paths, hostile requests."""

    def test_head(self):
        for path in ("/metrics", "/api/v1/status", "/", "/livez"):
            code, answered, body = request(self.port, "HEAD", path)
            self.assertEqual((code, body), (200, b""), path)
            self.assertGreater(int(header(answered, "content-length")), 0, path)

    def test_other_methods(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            code, answered, _ = request(self.port, method, "/metrics")
            self.assertEqual(code, 405, method)
            allowed = header(answered, "allow")
            self.assertIn("GET", allowed)
            self.assertIn("HEAD", allowed)

    def test_unknown_paths(self):
        for path in ("/nope", "/metrics/", "/api/v1/", "/api/v1/nope", "/../etc/passwd", "/%2e%2e/etc/passwd",
                     "/metrics%00", "/METRICS"):
            code, _, body = self.get(path)
            self.assertIn(code, (400, 404), path)
            self.assertNotIn(b"root:", body)

    def test_page(self):
        code, answered, body = self.get("/")
        self.assertEqual(code, 200)
        self.assertEqual(header(answered, "content-type"), "text/html; charset=utf-8")
        for word in ("/metrics", "/api/v1/status", "/readyz?verbose", 'data-part="verdict"'):
            self.assertIn(word, body.decode())
        # What the document has in itself is allowed by its hash, and everything else only from files of our own.
        self.assertRegex(header(answered, "content-security-policy"),
                         r"^default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}='; style-src 'self' 'sha256-[\w+/]{43}=' "
                         r"'sha256-[\w+/]{43}='; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                         r"frame-ancestors 'none'$")
        self.assertEqual(header(answered, "x-content-type-options"), "nosniff")
        self.assertEqual(header(answered, "referrer-policy"), "no-referrer")

    def test_garbage_does_no_harm(self):
        for garbage in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100000,
                        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
                        b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
                answer = b""
                try:
                    sock.sendall(garbage)
                    sock.shutdown(socket.SHUT_WR)
                    while part := sock.recv(65536):
                        answer += part
                except OSError:
                    pass  # A reset is an answer, too.
                self.assertFalse(answer.startswith(b"HTTP/1.1 200"), garbage[:40])
        self.assertEqual(self.get("/livez")[0], 200)

    def test_keep_alive_and_pipelining(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            received = b""
            while received.count(b"HTTP/1.1 200") < 3 or not received.endswith(b"ok\n"):
                part = sock.recv(4096)
                self.assertTrue(part, received)
                received += part
        self.assertEqual(received.count(b"ok\n"), 3)

    def test_many_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            codes = list(pool.map(lambda _: self.get("/livez")[0], range(200)))
        self.assertEqual(codes, [200] * 200)

    def hold_up(self, clients):
        """The seconds that a scrape takes while so many clients say nothing, or half of a request."""
        slow = [socket.create_connection(("127.0.0.1", self.port), timeout=10) for _ in range(clients)]
        try:
            for sock in slow[::2]:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
            begin = time.monotonic()
            self.assertEqual(self.get("/livez")[0], 200)
            self.assertEqual(self.get("/metrics")[0], 200)
            return time.monotonic() - begin
        finally:
            for sock in slow:
                sock.close()
            # The server sees their ends by and by; while half of its connections are open it keeps none alive.
            process.wait_for(lambda: header(self.get("/livez")[1], "connection") == "keep-alive", 2 * _REQUEST_TIMEOUT_S,
                             "connections that are kept alive again")

    def test_idle_and_slow_clients_hold_nobody_up(self):
        self.assertLess(self.hold_up(_FEW_CLIENTS), 2)

    def test_more_clients_than_threads_hold_up_for_one_time_limit_at_most(self):
        self.assertLess(self.hold_up(_MANY_CLIENTS), 2 * _REQUEST_TIMEOUT_S)


class Health(watching.LabTestCase):
    """/livez and /readyz."""

    def test_ready_means_every_member_was_visited_and_not_that_all_is_well(self):
        with faults.HostileServer("silent") as silent:
            address = f"127.0.0.1:{silent.port}"
            exporter = self.lab(stack.Exporter, [f"--zookeeper=127.0.0.1:1,{address}", "--canary=off", "--timeout=3s",
                                                 "--interval=3s"])
            early = exporter.get("/readyz?verbose")
            self.assertEqual(exporter.get("/livez").status, 200)
            self.assertEqual(early.status, 503)
            self.assertIn(f"{address} of ensemble default has not been visited yet\n", early.text)
            self.assertTrue(early.text.endswith("not ready\n"))
            # What is known already is served meanwhile.
            self.assertEqual(exposition.parse(exporter.metrics()).value(
                "watchkeeper_member_serving_state", member=address, state="unreachable"), 1)
            watching.wait_until_visited(exporter, 10)
            late = exporter.get("/readyz")
            self.assertEqual((late.status, late.text), (200, "ready\n"))
            self.assertIn("127.0.0.1:1 of ensemble default has been visited", exporter.get("/readyz?verbose").text)

    def test_a_scrape_never_waits_for_a_poll(self):
        with faults.HostileServer("silent") as silent, proxy.TcpProxy(silent.port) as hole:
            hole.black_hole()
            members = [f"127.0.0.1:{silent.port}", f"127.0.0.1:{hole.port}"]
            exporter = self.lab(stack.Exporter, [f"--zookeeper={','.join(members)}", "--timeout=30s", "--interval=1s"])
            time.sleep(1)
            for path in ("/metrics", "/api/v1/status", "/api/v1/members", "/", "/readyz", "/livez"):
                self.assertLess(exporter.get(path).seconds, 1, path)
            before = silent.connections
            for _ in range(20):
                exporter.metrics()
            self.assertLessEqual(silent.connections - before, 3, "scrapes must not cause visits")


class Documents(Served):
    """The JSON documents."""

    def json(self, path, code=200):
        answer = self.exporter.get(path)
        self.assertEqual(answer.status, code, f"{path}: {answer.text[:300]}")
        self.assertEqual(answer.headers["content-type"].split(";")[0], "application/json")
        return answer.json()

    def test_status(self):
        found = self.json("/api/v1/status")
        self.assertEqual(set(found), {"time", "status", "verdict", "snapshot", "exporter", "ensembles"})
        self.assertRegex(found["time"], _RFC3339)
        self.assertEqual(found["status"], "critical")
        self.assertIn("bad", found["verdict"])
        self.assertFalse(found["snapshot"]["stale"])
        good, bad = found["ensembles"]
        self.assertEqual((good["name"], good["serving"], good["standalone"]), ("good", True, True))
        self.assertEqual((bad["name"], bad["serving"], bad["status"]), ("bad", False, "critical"))
        self.assertEqual(set(good), set(bad), "the same fields in every state")
        self.assertEqual(bad["quorum"], {"voters": 2, "majority": 2, "in_sync": 0, "margin": -2})
        self.assertEqual(bad["leader"], {"member": None, "id": None, "epoch": None, "inferred": False})
        for problem in bad["problems"]:
            self.assertEqual(set(problem), {"id", "severity", "summary", "cause", "remedy", "runbook", "members"})
            for field in ("id", "severity", "summary", "cause", "remedy", "runbook"):
                self.assertTrue(problem[field], problem)
        first = bad["unserved"]["seconds_total"]
        process.wait_for(lambda: watching.status(self.exporter, "bad")["unserved"]["seconds_total"] >= first + 1, 5,
                         "the outage to be counted")
        self.assertEqual({one["state"] for one in bad["source_problems"]}, {"refused", "unresolved"})
        self.assertTrue(all(one["remedy"] for one in bad["source_problems"]))

    def test_members(self):
        found = self.json("/api/v1/members")["members"]
        self.assertEqual([one["member"] for one in found], [self.member, "127.0.0.1:1", "name.invalid:2181"])
        self.assertEqual(len({tuple(sorted(one)) for one in found}), 1, "the same fields in every state")
        for one in found:
            self.assertIn(one["state"], _STATES)
            self.assertRegex(one["state_since"], _RFC3339)
            self.assertTrue(one["state_reason"])
            self.assertEqual(len(one["sources"]), 19)
        self.assertEqual(found[0]["facts"]["configuration"]["entries"]["tickTime"], "500")
        self.assertIsInstance(found[0]["zxid"], str)
        self.assertEqual(len(self.json("/api/v1/members?ensemble=bad")["members"]), 2)
        self.assertEqual(self.json("/api/v1/members?member=name.invalid")["members"][0]["member"], "name.invalid:2181")
        for query, code in (("member=nobody", 404), ("ensemble=nobody", 404), ("member=127.0.0.1", 400)):
            error = self.json(f"/api/v1/members?{query}", code)
            self.assertEqual(set(error), {"error"})
        self.assertIn("fits 2 members", self.json("/api/v1/members?member=127.0.0.1", 400)["error"])

    def test_events(self):
        found = self.json("/api/v1/events")
        self.assertEqual(set(found), {"events", "last_id", "skipped", "exporter_started"})
        ids = [one["id"] for one in found["events"]]
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual(found["last_id"], ids[-1])
        self.assertEqual(found["events"][0]["type"], "exporter_started")
        for one in found["events"]:
            self.assertEqual(set(one), {"id", "time", "type", "severity", "ensemble", "member", "text",
                                        "duration_seconds"})
            self.assertRegex(one["time"], _RFC3339)
        self.assertEqual(self.json(f"/api/v1/events?after={ids[-1]}")["events"], [])
        last = self.json("/api/v1/events?limit=1")
        self.assertEqual(([one["id"] for one in last["events"]], last["skipped"]), ([ids[-1]], len(ids) - 1))
        self.assertTrue(all(one["ensemble"] == "bad" for one in self.json("/api/v1/events?ensemble=bad")["events"]))
        for query in ("after=-1", "after=x", "limit=0", "limit=5001", "limit="):
            code = self.exporter.get(f"/api/v1/events?{query}").status
            self.assertEqual(code, 200 if query == "limit=" else 400, query)
        self.json("/api/v1/events?ensemble=nobody", 404)

    def test_history(self):
        time.sleep(2.5)
        found = self.json("/api/v1/history?ensemble=good&since=-30s")
        self.assertEqual(found["step"], 1)
        by_name = {(one["member"], one["series"]): one for one in found["series"]}
        self.assertEqual(len(by_name), 12 + 4)
        serving = by_name[None, "serving"]
        self.assertGreaterEqual(len(serving["points"]), 2)
        self.assertEqual(serving["points"][-1], 1)
        self.assertLessEqual(abs(serving["first"] + len(serving["points"]) - 1 - time.time()), 3)
        znodes = next(one for (member, name), one in by_name.items() if member == self.member and "znode" in name)
        self.assertGreaterEqual(znodes["points"][-1], 4)
        one = self.json(f"/api/v1/history?member={self.member}&series={znodes['series']}")
        self.assertEqual([entry["series"] for entry in one["series"]], [znodes["series"]])
        for query, word in (("step=7", "1, 10 or 60"), ("since=yesterday", "since"), ("series=nosuch", "known ones")):
            self.assertIn(word, self.json(f"/api/v1/history?{query}", 400)["error"])
        self.json("/api/v1/history?member=nobody", 404)

    def test_safe_to_stop_errors(self):
        self.assertIn("member=", self.json("/api/v1/safe-to-stop", 400)["error"])
        self.assertIn("known ones", self.json("/api/v1/safe-to-stop?member=nobody", 404)["error"])
        self.assertIn("name one of them", self.json("/api/v1/safe-to-stop?member=127.0.0.1", 400)["error"])
        self.assertEqual(self.json("/api/v1/safe-to-stop?member=127.0.0.1&ensemble=good", 409)["member"], self.member)
        self.json("/api/v1/safe-to-stop?member=127.0.0.1&ensemble=nobody", 404)


class SafeToStop(watching.LabTestCase):
    """200 while two of three remain, 409 with the reason when they would not; and the program's end."""

    def test_three_members(self):
        ensemble = self.lab(apache.ApacheEnsemble, 3)
        exporter = self.lab(stack.Exporter, [f"--zookeeper={','.join(ensemble.addresses)}"])
        watching.wait_until_visited(exporter)

        def answer(member, code):
            path = f"/api/v1/safe-to-stop?member={member.address}"
            process.wait_for(lambda: exporter.get(path).status == code, 10, f"{path} to answer {code}")
            return exporter.get_json(path)
        for member in ensemble.members:
            self.assertEqual(answer(member, 200), {"member": member.address, "ensemble": "default", "safe": True,
                                                   "reason": answer(member, 200)["reason"]})
            by_id = exporter.get(f"/api/v1/safe-to-stop?member={member.id}")
            self.assertEqual((by_id.status, by_id.json()["member"]), (200, member.address))
        dead, *others = ensemble.followers()[:1] + [member for member in ensemble.members
                                                    if member is not ensemble.followers()[0]]
        dead.kill()
        watching.wait_for_state(exporter, dead.address, "unreachable", 10)
        for member in others:
            found = answer(member, 409)
            self.assertFalse(found["safe"])
            self.assertIn("1 of 3", found["reason"])
        dead.start()
        ensemble.wait_until_serving()
        answer(others[0], 200)

    def test_the_end_is_quick_clean_and_closes_the_sessions(self):
        ensemble = self.lab(apache.ApacheEnsemble, 1)
        member = ensemble.member(1)
        exporter = self.lab(stack.Exporter, [f"--zookeeper={member.address}", "--canary=write"])
        watching.wait_for_state(exporter, member.address, "serving", 10)

        def sessions():
            return int(member.mntr()["zk_global_sessions"])
        process.wait_for(lambda: sessions() >= 1, 10, "the canary's session")

        def written():
            return watching.document(exporter, member.address)["canary"]["operations"]["create"]["results"]["ok"]
        process.wait_for(written, 10, "the canary to write")
        begin = time.monotonic()
        self.assertEqual(exporter.stop_process(10), 0)
        self.assertLess(time.monotonic() - begin, 3)
        # A session that was only dropped would live on for seconds.
        self.assertEqual(sessions(), 0)
        self.assertEqual(int(member.mntr()["zk_ephemerals_count"]), 0)

    def test_interrupt_and_hanging_targets(self):
        with faults.HostileServer("silent") as silent:
            for number in (signal.SIGTERM, signal.SIGINT):
                with stack.Exporter([f"--zookeeper=127.0.0.1:{silent.port}", "--timeout=60s"]) as exporter:
                    time.sleep(0.5)
                    exporter.process.send_signal(number)
                    self.assertEqual(exporter.process.wait(3), 0)

    def test_a_hangup_is_told_and_nothing_more(self):
        exporter = self.lab(stack.Exporter, ["--zookeeper=127.0.0.1:1", "--canary=off"])
        for count in (1, 2):
            exporter.process.send_signal(signal.SIGHUP)
            process.wait_for(lambda: exporter.stderr().count("SIGHUP: there is nothing to reload by it") == count, 10,
                             "the line of the log", child=exporter.process)
        self.assertEqual(exporter.get("/livez").status, 200)
        self.assertEqual(exporter.stop_process(10), 0)

    def test_a_hangup_of_its_terminal_ends_it(self):
        terminal, its_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        port = ports.reserve()
        self.addCleanup(ports.release, port)
        with subprocess.Popen([stack.exporter_binary(), "--zookeeper=127.0.0.1:1", "--canary=off",
                               f"--listen-address=127.0.0.1:{port}"], stdin=its_end, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as exporter:
            self.addCleanup(exporter.kill)
            os.close(its_end)
            self.assertIn("watches", exporter.stdout.readline())
            exporter.send_signal(signal.SIGHUP)
            self.assertEqual(exporter.wait(10), 0)

    def test_a_probe_does_not_delay_the_end(self):
        with faults.HostileServer("silent") as silent:
            exporter = self.lab(stack.Exporter, ["--zookeeper=127.0.0.1:1", "--canary=off"])
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                probe = pool.submit(request, exporter.port, "GET", f"/probe?target=127.0.0.1:{silent.port}",
                                    {"X-Prometheus-Scrape-Timeout-Seconds": "40"})
                time.sleep(0.5)
                begin = time.monotonic()
                self.assertEqual(exporter.stop_process(10), 0)
                self.assertLess(time.monotonic() - begin, 3)
                self.assertEqual(probe.result(10)[0], 503)

    def test_port_in_use(self):
        port = ports.reserve()
        self.addCleanup(ports.release, port)
        with socket.create_server(("127.0.0.1", port)):
            try:
                binary = stack.exporter_binary()
            except workspace.LabUnavailable as missing:
                self.skipTest(str(missing))
            done = subprocess.run([binary, "--zookeeper=127.0.0.1:1", f"--listen-address=127.0.0.1:{port}",
                                   "--log.level=error"], capture_output=True, text=True, timeout=10, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(f"127.0.0.1:{port}", done.stderr)
        self.assertIn("in use", done.stderr.lower())


class PreStopHook(watching.LabTestCase):
    """The recipe of docs/EXPORTER.md, as it stands there but for the address and the bound."""

    def hook(self, address, member, bound_s):
        text = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "EXPORTER.md").read_text(encoding="utf-8")
        script = textwrap.dedent(re.search(r"- sh\n +- -c\n +- \|\n(.*?)```", text, re.DOTALL).group(1))
        for was, wanted in (("watchkeeper-exporter:9141", address), ("+ 60))", f"+ {bound_s}))")):
            self.assertEqual(script.count(was), 1, was)
            script = script.replace(was, wanted)
        begin = time.monotonic()
        done = subprocess.run(["sh", "-c", script], env={"PATH": os.environ["PATH"], "HOSTNAME": member}, text=True,
                              capture_output=True, timeout=60, check=False)
        return done, time.monotonic() - begin

    def test_answers_of_an_exporter(self):
        # Nothing listens on these ports: no member is known to be safe.
        members = [f"zk-{n}.zk-headless.invalid:{ports.reserve()}" for n in range(2)]
        exporter = self.lab(stack.Exporter, [f"--zookeeper={','.join(members)},zk-0.other.invalid", "--canary=off"])
        done, took_s = self.hook(exporter.address, "nobody", 60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no member is called", done.stderr)
        self.assertLess(took_s, 5)
        done, took_s = self.hook(exporter.address, "zk-0", 60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("fits 2 members", done.stderr)
        self.assertLess(took_s, 5)
        done, took_s = self.hook(exporter.address, "zk-1", 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stopping all the same", done.stderr)
        self.assertIn("HTTP 409", done.stderr)
        self.assertLess(took_s, 1 + 5)

    def test_safe_or_an_exporter_that_is_down(self):
        class Safe(http.server.BaseHTTPRequestHandler):
            asked = []

            def do_GET(self):
                self.asked.append(self.path)
                self.send_response(200 if len(self.asked) > 1 else 409)
                self.end_headers()
                self.wfile.write(b'{"safe": null}')

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Safe) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                done, took_s = self.hook(f"127.0.0.1:{server.server_port}", "zk-1", 60)
            finally:
                server.shutdown()
                thread.join()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(Safe.asked, ["/api/v1/safe-to-stop?member=zk-1"] * 2)
        self.assertLess(took_s, 10)
        with faults.HostileServer("silent") as silent:
            for address, word in ((f"127.0.0.1:{ports.reserve()}", "connect"), (f"127.0.0.1:{silent.port}", "timed out")):
                done, took_s = self.hook(address, "zk-1", 1)
                self.assertEqual(done.returncode, 1)
                self.assertIn(word, done.stderr)
                self.assertLess(took_s, 1 + 5 + 1)


class WebConfiguration(watching.LabTestCase):
    """--web.config.file: basic authentication and TLS."""

    _PASSWORD = "open sesame"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.authority = tls.CertificateAuthority()
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None
        cls.folder = workspace.new_folder("web-config")
        cls.addClassCleanup(workspace.remove_folder, cls.folder)
        cls.hash = crypt.crypt(cls._PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))

    def start(self, text):
        """An exporter with this web configuration, listening."""
        path = self.folder / f"{self.id().rpartition('.')[2]}.yaml"
        path.write_text(text, encoding="utf-8")
        exporter = stack.Exporter(["--zookeeper=127.0.0.1:1", "--canary=off", f"--web.config.file={path}"])
        self.addCleanup(exporter.stop)
        exporter.start()

        def listens():
            with socket.socket() as sock:
                return sock.connect_ex(("127.0.0.1", exporter.port)) == 0
        process.wait_for(listens, 20, "the exporter to listen", child=exporter.process)
        return exporter, path

    def context(self):
        return ssl.create_default_context(cafile=self.authority.certificate)

    @staticmethod
    def basic(user, password):
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def test_basic_authentication(self):
        exporter, _ = self.start(f"basic_auth_users:\n  me: {self.hash}\n")
        for path in ("/metrics", "/api/v1/status", "/", "/nope"):
            code, answered, body = request(exporter.port, "GET", path)
            self.assertEqual(code, 401, path)
            self.assertIn("Basic", header(answered, "www-authenticate"))
            self.assertNotIn(b"watchkeeper_", body)
        for bad in (self.basic("me", "wrong"), self.basic("you", self._PASSWORD), self.basic("me", ""),
                    {"Authorization": "Bearer x"}, {"Authorization": "Basic !!!"}):
            self.assertEqual(request(exporter.port, "GET", "/metrics", bad)[0], 401, bad)
        code, _, body = request(exporter.port, "GET", "/metrics", self.basic("me", self._PASSWORD))
        self.assertEqual(code, 200)
        failures = exposition.parse(body.decode()).select("watchkeeper_http_rejected_total", reason="unauthorized")
        if failures:
            self.assertGreaterEqual(failures[0].value, 9)
        # Checked passwords are remembered: a scrape must not cost a bcrypt each time.
        begin = time.monotonic()
        for _ in range(20):
            self.assertEqual(request(exporter.port, "GET", "/livez", self.basic("me", self._PASSWORD))[0], 200)
        self.assertLess(time.monotonic() - begin, 3)

    def test_tls_and_a_rotated_certificate(self):
        first, second = self.authority.issue("first"), self.authority.issue("second")
        certificate, key = self.folder / "served.pem", self.folder / "served.key"

        def install(bundle):
            certificate.write_bytes(bundle.chain.read_bytes())
            key.write_bytes(bundle.key.read_bytes())

        def served_name(port):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
                with self.context().wrap_socket(plain, server_hostname="127.0.0.1") as sock:
                    return dict(pair[0] for pair in sock.getpeercert()["subject"])["commonName"]
        install(first)
        exporter, path = self.start("tls_server_config:\n  cert_file: served.pem\n  key_file: served.key\n")
        code, _, body = request(exporter.port, "GET", "/metrics", context=self.context())
        self.assertEqual(code, 200)
        exposition.parse(body.decode())
        self.assertEqual(served_name(exporter.port), "first")
        self.assertIn("https://", (exporter.folder / "stdout.txt").read_text("utf-8"))
        with self.assertRaises((OSError, http.client.HTTPException)):
            code, _, _ = request(exporter.port, "GET", "/metrics")
            if code != 200:
                raise ConnectionError(code)

        install(second)
        process.wait_for(lambda: served_name(exporter.port) == "second", 15, "the new certificate")

        # A broken file keeps what works.
        certificate.write_text("nonsense\n", encoding="utf-8")
        time.sleep(1)
        self.assertEqual(served_name(exporter.port), "second")
        self.assertEqual(request(exporter.port, "GET", "/livez", context=self.context())[0], 200)
        self.assertTrue(path.exists())

    def test_client_certificates(self):
        server, client = self.authority.issue("server"), self.authority.issue("client", usage="client")
        exporter, _ = self.start(f"tls_server_config:\n  cert_file: {server.chain}\n  key_file: {server.key}\n"
                                 "  client_auth_type: RequireAndVerifyClientCert\n"
                                 f"  client_ca_file: {self.authority.certificate}\n")
        with self.assertRaises((OSError, http.client.HTTPException)):
            request(exporter.port, "GET", "/metrics", context=self.context())
        context = self.context()
        context.load_cert_chain(client.chain, client.key)
        self.assertEqual(request(exporter.port, "GET", "/metrics", context=context)[0], 200)

    def test_headers(self):
        exporter, _ = self.start("http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n"
                                 "    Strict-Transport-Security: max-age=600\n")
        answered = request(exporter.port, "GET", "/metrics")[1]
        self.assertEqual(header(answered, "x-frame-options"), "sameorigin")
        self.assertEqual(header(answered, "strict-transport-security"), "max-age=600")


if __name__ == "__main__":
    unittest.main()
