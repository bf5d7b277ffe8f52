"""The AdminServer's commands: the same clients do the same things to Apache and to watchkeeperd, then every command is
asked over HTTP and the answers are compared: status, content type, names of fields and their types, and the values that
only depend on what the clients did.
"""

import http.client
import json
import unittest

import servers
import wire
from server_case import ServerCase
from test_words import busy_clients

REFERENCE = "apache-3.9.5"
OPTIONS = {"admin": True, "tick_ms": 2000, "extra_cfg": {"preAllocSize": 1024, "maxSessionTimeout": 600_000}}
# Primary name first, then every other name.
READING = [
    ("configuration", "conf", "config"), ("connections", "cons"), ("dirs",), ("dump",), ("environment", "env", "envi"),
    ("get_trace_mask", "gtmk"), ("hash",), ("initial_configuration", "icfg"), ("is_read_only", "isro"),
    ("last_snapshot", "lsnp"), ("leader", "lead"), ("monitor", "mntr"), ("observers", "obsr"), ("ruok",),
    ("server_stats", "srvr"), ("stats", "stat"), ("system_properties", "sysp"), ("voting_view",), ("watch_summary", "wchs"),
    ("watches", "wchc"), ("watches_by_path", "wchp"), ("zabstate",),
]
CHANGING = [("connection_stat_reset", "crst"), ("observer_connection_stat_reset", "orst"), ("restore", "rest"),
            ("set_trace_mask", "stmk"), ("snapshot", "snap"), ("stat_reset", "srst")]
# Fields that Apache has and Watchkeeper has not, and the reverse, as the command and the beginning of a field's name.
ONLY_APACHE = {
    ("system_properties", "java."): "there is no virtual machine to tell of beyond what `environment` has",
    ("system_properties", "sun."): "the same",
    ("system_properties", "jdk."): "the same",
    ("system_properties", "jetty."): "another HTTP server",
    ("system_properties", "logback."): "another logger",
    ("system_properties", "org."): "another logger",
    ("system_properties", "file."): "Java's",
    ("system_properties", "line."): "Java's",
    ("system_properties", "native."): "Java's",
    ("system_properties", "path."): "Java's",
    ("system_properties", "stdout."): "Java's",
    ("system_properties", "stderr."): "Java's",
    ("system_properties", "user."): "language, country and time zone are Java's",
    ("system_properties", "zookeeper."): "keys of zoo.cfg are no properties of the process; passwords are among them",
}
ONLY_WATCHKEEPER = {
    ("monitor", "op_count_"): "counters of 3.10",
    ("monitor", "fsync_threshold_exceed_count"): "as server_stats has it",
    ("monitor", "session_expiry_bucket"): "how many sessions would expire together",
    ("system_properties", "java.vendor"): "none",
    ("system_properties", "java.compiler"): "as `environment` has it",
}
NUMBER = "number"


def shape(value):
    """Types by field; of a list, the shapes that occur. Integers and other numbers are one, as they are in JSON."""
    if isinstance(value, dict):
        return {name: shape(field) for name, field in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(one), sort_keys=True) for one in value})
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return NUMBER


class Commands(ServerCase):
    options = OPTIONS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = cls.enterClassContext(servers.make(REFERENCE, **OPTIONS))
        cls.members = [cls.reference.members[0], cls.ensemble.members[0]]
        cls.clients = [busy_clients(member) for member in cls.members]
        for clients in cls.clients:
            for client in clients:
                cls.addClassCleanup(client.close)

    def ask(self, member, path, method="GET", port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or member.admin_port, timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path)
        response = connection.getresponse()
        return response, response.read().decode()

    def both(self, name):
        """The documents of Apache and of the server under test."""
        documents = []
        for member, clients in zip(self.members, self.clients):
            response, text = self.ask(member, f"/commands/{name}")
            self.assertEqual(response.status, 200, name)
            self.assertEqual(response.getheader("Content-Type"), "application/json", name)
            for number, client in enumerate(clients):
                text = text.replace(str(client.session["session_id"]), f"SESSION-{number}")
            # Session ids are numbers, in lists and as values.
            for number in range(len(clients)):
                text = text.replace(f'"SESSION-{number}"', f"@{number}").replace(f"SESSION-{number}", f'"SESSION-{number}"')
                text = text.replace(f"@{number}", f'"SESSION-{number}"')
            documents.append(json.loads(text))
        return documents

    def compare_fields(self, name, expected, found):
        def without(document, other, allowed):
            return {field: value for field, value in document.items()
                    if field in other or not any(name == command and field.startswith(start) for command, start in allowed)}
        self.assertEqual(shape(without(found, expected, ONLY_WATCHKEEPER)), shape(without(expected, found, ONLY_APACHE)), name)

    def test_fields_and_types_are_apaches(self):
        for name, *_ in READING:
            with self.subTest(name):
                expected, found = self.both(name)
                if name == "dump":  # Keys are times; sessions fall into one bucket or into several.
                    for document in (expected, found):
                        sessions = sum(document.pop("expiry_time_to_session_ids").values(), [])
                        document["sessions"] = sorted(sessions)
                self.compare_fields(name, expected, found)

    def test_what_the_clients_did_is_told_alike(self):
        def numbers(document, *fields):
            return {field: document[field] for field in fields}
        for name, fields in (("watch_summary", ("num_connections", "num_paths", "num_total_watches")),
                             ("is_read_only", ("read_only",)), ("get_trace_mask", ("tracemask",)),
                             ("observers", ("synced_observers", "observers")), ("voting_view", ("current_config",)),
                             ("leader", ("error",)), ("zabstate", ("voting", "zabstate")),
                             ("server_stats", ("node_count", "read_only")),
                             ("monitor", ("server_state", "znode_count", "ephemerals_count", "watch_count", "global_sessions",
                                          "approximate_data_size")),
                             ("configuration", ("tick_time", "max_client_cnxns", "min_session_timeout",
                                                "max_session_timeout", "server_id", "client_port_listen_backlog"))):
            with self.subTest(name):
                expected, found = self.both(name)
                self.assertEqual(numbers(found, *fields), numbers(expected, *fields))

    def test_who_watches_and_owns_what_is_told_alike(self):
        expected, found = self.both("watches")
        def unordered(document):
            return {key: sorted(values) for key, values in document.items()}
        self.assertEqual(unordered(found["session_id_to_watched_paths"]), unordered(expected["session_id_to_watched_paths"]))
        expected, found = self.both("watches_by_path")
        self.assertEqual(unordered(found["path_to_session_ids"]), unordered(expected["path_to_session_ids"]))
        expected, found = self.both("dump")
        self.assertEqual(unordered(found["session_id_to_ephemeral_paths"]),
                         unordered(expected["session_id_to_ephemeral_paths"]))

    def test_other_names_are_the_same_commands(self):
        # Apache wants to know who asks before it says what `rest` is.
        for primary, *others in READING + ([] if self.kind.startswith("apache") else CHANGING):
            for other in others:
                _, text = self.ask(self.member, f"/commands/{other}")
                self.assertEqual(json.loads(text)["command"], primary, other)

    def test_layout_is_apaches(self):
        for name in ("ruok", "voting_view", "observers", "watch_summary", "is_read_only", "nope"):
            texts = [self.ask(member, f"/commands/{name}")[1] for member in self.members]
            self.assertEqual(texts[1], texts[0], name)

    def test_the_list_links_every_command_that_is_answered(self):
        for path in ("/commands", "/commands/"):
            response, text = self.ask(self.member, path)
            self.assertEqual(response.status, 200)
            lines = [f'<a href="/commands/{name}">{name}</a>\n<br/>\n' for name, *_ in READING]
            if self.kind.startswith("apache"):
                for line in lines:
                    self.assertIn(line, text)
            else:
                self.assertEqual(text, "".join(lines))

    def test_methods_and_paths(self):
        response, text = self.ask(self.member, "/commands/ruok", "HEAD")
        self.assertEqual((response.status, text), (200, ""))
        self.assertEqual(self.ask(self.member, "/commandsx")[0].status, 404)
        self.assertEqual(self.ask(self.member, "/")[0].status, 404)
        self.assertEqual(self.ask(self.member, "/commands/ruok/")[1],
                         '{\n  "command" : "ruok/",\n  "error" : "Unknown command: ruok/"\n}')
        self.assertEqual(self.ask(self.member, "/commands/ruok?x=1")[1], '{\n  "command" : "ruok",\n  "error" : null\n}')

    def test_last_snapshot_is_the_newest_file(self):
        expected, found = self.both("last_snapshot")
        self.assertEqual(found["zxid"], expected["zxid"])
        newest = max((self.member.data_dir / "version-2").glob("snapshot.*"), key=lambda path: int(path.suffix[1:], 16))
        self.assertEqual(found["timestamp"], int(newest.stat().st_mtime))

    def test_initial_configuration_is_the_file(self):
        expected, found = self.both("initial_configuration")
        self.assertEqual(found["initial_configuration"], self.ensemble.members[0].config_path.read_text())
        self.assertEqual(expected["initial_configuration"], self.reference.members[0].config_path.read_text())


class OwnCommands(ServerCase):
    """What Apache does otherwise, or not at all."""
    kind = "watchkeeperd"
    options = {**OPTIONS, "extra_cfg": {"admin.commandURL": "/ask", "ssl.keyStore.password": "hush"}}

    def ask(self, port, path, method="GET", timeout_s=10):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self.addCleanup(connection.close)
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def test_what_changes_the_server_is_refused(self):
        for primary, *others in CHANGING:
            for name in (primary, *others):
                status, text = self.ask(self.member.admin_port, f"/ask/{name}")
                self.assertEqual(status, 403, name)
                self.assertEqual(json.loads(text)["command"], primary)
                self.assertRegex(json.loads(text)["error"], f"^{primary} would change the server, and this address only reads; ")
            self.assertEqual(self.ask(self.member.admin_port, f"/ask/{primary}", "POST")[0], 405)

    def test_commands_are_at_the_port_of_the_metrics_too(self):
        self.assertEqual(self.ask(self.member.metrics_port, "/commands/ruok")[1],
                         '{\n  "command" : "ruok",\n  "error" : null\n}')
        self.assertIn('<a href="/commands/ruok">ruok</a>', self.ask(self.member.metrics_port, "/commands")[1])
        self.assertIn('<a href="/ask/ruok">ruok</a>', self.ask(self.member.admin_port, "/ask")[1])
        self.assertEqual(self.ask(self.member.admin_port, "/metrics")[0], 404)

    def test_secrets_are_not_shown(self):
        text = json.loads(self.ask(self.member.admin_port, "/ask/icfg")[1])["initial_configuration"]
        self.assertIn("ssl.keyStore.password=***\n", text)
        self.assertNotIn("hush", text)

    def test_too_many_entries_are_refused_with_the_number(self):
        client = wire.Connection(self.member.address)
        self.addCleanup(client.close)
        client.handshake(30000)
        for number in range(10_001):
            client.call("exists", path=f"/w{number}", watch=True)
        document = json.loads(self.ask(self.member.admin_port, "/ask/watches")[1])
        self.assertEqual(document, {"command": "watches", "error": "10001 watches are more than the 10000 that one answer "
                                    "lists; watch_summary tells how many there are"})
        self.assertEqual(json.loads(self.ask(self.member.admin_port, "/ask/wchs")[1])["num_total_watches"], 10_001)


class TakenPort(unittest.TestCase):
    def test_an_address_that_is_taken_ends_the_start_with_4(self):
        with servers.running("watchkeeperd", **OPTIONS) as first:
            taken = first.members[0].admin_port
            second = servers.make("watchkeeperd", **{**OPTIONS, "extra_cfg": {"admin.serverPort": taken}})
            self.addCleanup(second.stop)
            member = second.members[0]
            member.start()
            self.assertEqual(member.process.wait(10), 4)
            self.assertIn(f"127.0.0.1:{taken}", member.log())
            self.assertIn("change admin.serverAddress or admin.serverPort, or set admin.enableServer=false", member.log())


def load_tests(loader, _tests, _pattern):
    suite = servers.parametrised(Commands)(loader, _tests, _pattern)
    if "watchkeeperd" in servers.chosen():
        for case in (OwnCommands, TakenPort):
            suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main()
