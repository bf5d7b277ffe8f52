"""The event stream of the exporter's page against a real ensemble: what arrives, how fast, what a client that comes back
gets, how many clients there may be, and what becomes of those that do not read."""

import base64
import crypt
import http.client
import json
import signal
import socket
import ssl
import time
import unittest

from lab import apache, process, stack, tls, workspace

import watching

_STREAMS_MAX = 16
_ARRIVES_S = 2.0
_STOPS_S = 3.0
# An exporter that watches this many addresses at which nobody listens tells enough each second to fill the buffers
# between two ends of a connection within seconds.
_SILENT_ENSEMBLES = 60
_SILENT_MEMBERS = 20


class Stream:
    """A client of /api/v1/stream that reads one event at a time."""

    def __init__(self, port, ensemble=None, headers=None, context=None, timeout_s=15.0):
        self._connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout_s, context=context) if context
                            else http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s))
        path = "/api/v1/stream" + (f"?ensemble={ensemble}" if ensemble else "")
        self._connection.request("GET", path, headers={"Accept": "text/event-stream", **(headers or {})})
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.headers = {name.lower(): text for name, text in self._answer.getheaders()}
        self.last_id = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._answer.close()
        self._connection.close()

    def body(self):
        return self._answer.read()

    def next(self):
        """The next event as (name, data); None at the end of the stream."""
        name, data = None, None
        while True:
            line = self._answer.fp.readline().decode()
            if not line:
                return None
            line = line.rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
            elif line == "" and name is not None:
                return name, data

    def wait_for(self, name, wanted=lambda data: True, deadline_s=15.0):
        """The data of the next event of that name for which `wanted` is true."""
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            event = self.next()
            if event is None:
                raise AssertionError(f"the stream ended before \"{name}\"")
            if event[0] == name and wanted(event[1]):
                return event[1]
        raise AssertionError(f"no \"{name}\" within {deadline_s} s")


def event_ids(data):
    return [one["id"] for one in data["events"]]


class OneEnsemble(watching.LabTestCase):
    """Three real members."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 3)
        path = watching.write_configuration(cls.ensemble.folder, [
            {"name": "main", "members": cls.ensemble.addresses, "detail_interval": "2s"},
            {"name": "a/b", "canary": "off", "members": ["127.0.0.1:1"]}])
        cls.exporter = cls.class_lab(stack.Exporter, [f"--config.file={path}"])
        watching.wait_until_visited(cls.exporter)
        process.wait_for(lambda: watching.status(cls.exporter, "main")["quorum"]["margin"] == 1, 20, "the whole quorum")
        cls.port = cls.exporter.port

    def test_what_arrives_each_second(self):
        with Stream(self.port, "main") as stream:
            self.assertEqual(stream.status, 200)
            self.assertEqual(stream.headers["content-type"], "text/event-stream")
            self.assertEqual(stream.headers["cache-control"], "no-store")
            self.assertNotIn("content-length", stream.headers)
            status = stream.wait_for("status")
            self.assertEqual([one["name"] for one in status["ensembles"]], ["main", "a/b"])
            self.assertEqual(set(status), set(self.exporter.get_json("/api/v1/status")))
            members = stream.wait_for("members")
            self.assertEqual([one["member"] for one in members["members"]], self.ensemble.addresses)
            self.assertEqual(members["ensemble"], "main")
            rows = [stream.wait_for("row") for _ in range(5)]
            # One a second; a turn that comes late may fall into the second behind.
            gaps = [later["time"] - row["time"] for row, later in zip(rows, rows[1:])]
            self.assertTrue(all(gap in (1, 2) for gap in gaps) and sum(gaps) <= len(gaps) + 1, gaps)
            self.assertEqual(set(rows[0]["members"]), set(self.ensemble.addresses))
            self.assertEqual(rows[-1]["series"]["serving"], 1)
            member = stream.wait_for("members")["members"][0]
            self.assertTrue(member["fresh"])
            self.assertLess(member["age_seconds"], 3)
            for field in ("outstanding_requests", "connections", "znodes", "watches", "packets_received", "sessions"):
                self.assertIsInstance(member[field], int, field)
            self.assertTrue(member["canary"]["connected"])
            self.assertEqual(member["version"], "3.8.0")
        table = self.exporter.get_json("/ensemble/main/members.json")
        self.assertEqual([set(one) for one in table["members"]], [set(member)] * 3, "one form in table and stream")

    def test_without_an_ensemble_the_status_alone(self):
        with Stream(self.port) as stream:
            self.assertEqual([stream.next()[0] for _ in range(3)], ["status"] * 3)

    def test_errors(self):
        for path, code in (("/api/v1/stream?ensemble=nope", 404), ("/api/v1/stream?ensemble=main&ensemble=main", 400)):
            answer = self.exporter.get(path)
            self.assertEqual((answer.status, set(answer.json())), (code, {"error"}), path)

    def test_tables_and_pages(self):
        page = self.exporter.get("/").body
        for name, title in (("main", "main"), ("a%2Fb", "a/b")):
            for table in ("", "/members", "/connections", "/configuration", "/sources", "/events"):
                self.assertEqual(self.exporter.get(f"/ensemble/{name}{table}").body, page)
                answer = self.exporter.get(f"/ensemble/{name}{table}.json")
                self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"), table)
                if table not in ("", "/events"):
                    self.assertEqual(answer.json()["ensemble"], title)
        self.assertEqual([one["name"] for one in self.exporter.get_json("/ensembles.json")["ensembles"]], ["main", "a/b"])
        keys = {row["key"]: row for row in self.exporter.get_json("/ensemble/main/configuration.json")["keys"]}
        self.assertEqual(set(keys["tickTime"]["values"].values()), {"500"})
        self.assertFalse(keys["tickTime"]["differs"])
        self.assertTrue(keys["clientPort"]["differs"])
        self.assertFalse(keys["clientPort"]["drift"])
        connections = self.exporter.get_json("/ensemble/main/connections.json")
        self.assertGreater(connections["members"][0]["connections"], 0)
        self.assertTrue(all(one["member"] in self.ensemble.addresses for one in connections["connections"]))
        for problem in self.exporter.get_json("/api/v1/status")["ensembles"][1]["problems"]:
            runbook = self.exporter.get(f"/runbooks/{problem['runbook']}")
            self.assertEqual(runbook.status, 200, problem)
            self.assertIn(f"<h1>{problem['runbook']}</h1>", runbook.text)

    def test_hostile_paths(self):
        for path in ("/assets/../page.cpp", "/assets/%2e%2e/page.cpp", "/assets/..%2fpage.cpp", "/assets/app.js%00",
                     "/assets/%ff", "/assets/", "/assets/index.html", "/ensemble/%2e%2e", "/ensemble/%00", "/ensemble/%ff",
                     "/ensemble/", "/ensemble/main/members/", "/ensemble/main%2Fmembers", "/ensemble/a/b",
                     "/ensemble/" + "x" * 9000, "/runbooks/%2e%2e%2fADR", "/runbooks/NoSuchAlert.md",
                     "/ensemble/%3Cscript%3Ealert(1)%3C%2Fscript%3E"):
            answer = self.exporter.get(path)
            self.assertIn(answer.status, (400, 404), path)
            self.assertNotIn(b"<script>alert", answer.body)
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def test_a_client_that_comes_back_gets_exactly_what_it_missed(self):
        with Stream(self.port, "main") as stream:
            known = event_ids(stream.wait_for("events"))
            place = stream.last_id
        victim = self.ensemble.followers()[0]
        victim.kill()
        watching.wait_for_state(self.exporter, victim.address, "unreachable", 10)
        victim.start()
        watching.wait_for_state(self.exporter, victim.address, "serving", 20)
        log = self.exporter.get_json(f"/api/v1/events?ensemble=main&after={known[-1]}&limit=5000")
        with Stream(self.port, "main", {"Last-Event-ID": place}) as stream:
            missed = stream.wait_for("events")
        self.assertTrue(missed["resumed"])
        self.assertEqual(event_ids(missed)[:len(log["events"])], event_ids(log))
        self.assertIn("member_lost", [one["type"] for one in missed["events"]])
        with Stream(self.port, "main", {"Last-Event-ID": "1-17"}) as stream:
            anew = stream.wait_for("events")
        self.assertFalse(anew["resumed"], "that id was given by another process")
        self.assertEqual(event_ids(anew)[:len(known)], known)

    def test_the_loss_of_the_leader_arrives_at_once(self):
        with Stream(self.port, "main") as stream:
            stream.wait_for("events")
            self.assertTrue(stream.wait_for("status")["ensembles"][0]["serving"])
            leader = self.ensemble.leader()
            leader.kill()
            begin = time.monotonic()
            stream.wait_for("events", lambda data: "leader_lost" in [one["type"] for one in data["events"]])
            self.assertLess(time.monotonic() - begin, _ARRIVES_S)
            status = stream.wait_for("status", lambda data: data["ensembles"][0]["serving"])
            self.assertEqual(status["ensembles"][0]["quorum"]["margin"], 0)
            rows = stream.wait_for("members")["members"]
            lost = next(one for one in rows if one["member"] == leader.address)
            self.assertEqual((lost["state"], lost["fresh"], lost["znodes"]), ("unreachable", False, None))
            self.assertTrue(lost["trouble"] and lost["remedy"])
        leader.start()
        watching.wait_for_state(self.exporter, leader.address, "serving", 20)


class Limits(watching.LabTestCase):
    """An exporter without any server to watch: what a stream costs does not depend on what there is to tell."""

    def exporter(self, *arguments, ensembles=1, members=2):
        lab = stack.Exporter([])
        path = watching.write_configuration(lab.folder, [
            {"name": f"e{number}", "canary": "off", "interval": "5s",
             "members": [f"127.0.0.{1 + number}:{1 + member}" for member in range(members)]}
            for number in range(ensembles)])
        lab.arguments = [f"--config.file={path}", *arguments]
        return self.enterContext(lab)

    def open_all(self, exporter):
        return [self.enterContext(Stream(exporter.port, "e0")) for _ in range(_STREAMS_MAX)]

    def test_one_too_many_is_told_so(self):
        exporter = self.exporter()
        streams = self.open_all(exporter)
        for stream in streams:
            stream.wait_for("status")
        with Stream(exporter.port) as refused:
            self.assertEqual((refused.status, refused.headers["content-type"]), (503, "application/json"))
            self.assertIn("16 streams are open", json.loads(refused.body())["error"])
        self.assertEqual(exporter.get("/api/v1/status").status, 200, "everything else is served")
        self.assertEqual(exporter.get("/metrics").status, 200)
        # A client that goes away gives its place back as soon as something cannot be written to it.
        streams[0].__exit__()

        def fits():
            with Stream(exporter.port) as stream:
                return stream.status == 200
        process.wait_for(fits, 5, "a place to be free")

    def test_the_end_of_the_program_ends_all_streams(self):
        exporter = self.exporter()
        streams = self.open_all(exporter)
        for stream in streams:
            stream.wait_for("status")
        begin = time.monotonic()
        exporter.process.send_signal(signal.SIGTERM)
        for stream in streams:
            while stream.next() is not None:
                pass
        self.assertEqual(exporter.process.wait(_STOPS_S), 0)
        self.assertLess(time.monotonic() - begin, _STOPS_S)

    def test_clients_that_do_not_read_are_cut_off_and_stall_nobody(self):
        exporter = self.exporter(ensembles=_SILENT_ENSEMBLES, members=_SILENT_MEMBERS)
        deaf = []
        for _ in range(3):
            client = self.enterContext(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", exporter.port))
            client.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            deaf.append(client)
        with Stream(exporter.port) as stream:
            seen = []

            def cut_off():
                seen.append((time.monotonic(), stream.wait_for("status")["snapshot"]["sequence"]))
                return exporter_counter(exporter, "timeout") >= len(deaf)
            process.wait_for(cut_off, 60, "those who do not read to be cut off", interval_s=0)
            gaps = [later[0] - earlier[0] for earlier, later in zip(seen, seen[1:])]
            self.assertLess(max(gaps), 3, "the one that reads is served all the time")

    def test_the_end_of_the_program_does_not_wait_for_those_who_do_not_read(self):
        exporter = self.exporter(ensembles=_SILENT_ENSEMBLES, members=_SILENT_MEMBERS)
        for _ in range(4):
            client = self.enterContext(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", exporter.port))
            client.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        # One of them has been cut off: the others are stuck in the middle of a document.
        process.wait_for(lambda: exporter_counter(exporter, "timeout") >= 1, 60, "a client to be cut off", interval_s=0.05)
        exporter.process.send_signal(signal.SIGTERM)
        self.assertEqual(exporter.process.wait(_STOPS_S), 0)


def exporter_counter(exporter, reason):
    """How often the HTTP server refused or cut off for that reason."""
    line = f'watchkeeper_exporter_http_rejected_total{{reason="{reason}"}} '
    found = [one for one in exporter.get("/metrics?family=exporter").text.splitlines() if one.startswith(line)]
    return float(found[0].removeprefix(line)) if found else 0


class TlsAndPasswords(watching.LabTestCase):
    """The stream is guarded as everything else is."""

    _PASSWORD = "a secret"

    def test_tls_and_basic_authentication(self):
        try:
            authority = tls.CertificateAuthority()
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None
        pair = authority.issue("exporter")
        exporter = stack.Exporter([])
        path = watching.write_configuration(exporter.folder, [{"name": "e", "canary": "off", "members": ["127.0.0.1:1"]}])
        hashed = crypt.crypt(self._PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
        web = exporter.folder / "web.yml"
        web.write_text(f"tls_server_config: {{cert_file: {pair.certificate}, key_file: {pair.key}}}\n"
                       f"basic_auth_users: {{me: {hashed}}}\n", encoding="utf-8")
        exporter.arguments = [f"--config.file={path}", f"--web.config.file={web}"]
        context = ssl.create_default_context(cafile=authority.certificate)
        self.addCleanup(exporter.stop)
        exporter.start()

        def listening():
            try:
                with Stream(exporter.port, context=context) as stream:
                    return stream.status == 401
            except OSError:
                return False
        process.wait_for(listening, 20, "the exporter to refuse those without a password", child=exporter.process)
        secret = base64.b64encode(f"me:{self._PASSWORD}".encode()).decode()
        with Stream(exporter.port, "e", {"Authorization": f"Basic {secret}"}, context) as stream:
            self.assertEqual(stream.status, 200)
            self.assertEqual(stream.wait_for("members")["ensemble"], "e")
            self.assertEqual(stream.wait_for("row")["ensemble"], "e")


if __name__ == "__main__":
    unittest.main()
