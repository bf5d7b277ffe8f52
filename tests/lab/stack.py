"""The monitoring side of the lab: Prometheus, Alertmanager with a webhook receiver, our exporter, the incumbent's."""

import dataclasses
import http.server
import json
import os
import pathlib
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

from . import ports, process, workspace

_HTTP_TIMEOUT_S = 10.0
_ANSWER_LIMIT_BYTES = 64 << 20
_REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class HttpAnswer:
    """A whole HTTP answer; an error status is an answer, too."""
    status: int
    headers: dict  # names in lower case
    body: bytes
    seconds: float

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)


def http_get(url, *, headers=None, timeout_s=_HTTP_TIMEOUT_S, context=None):
    """GETs a URL without any proxy of the environment.  OSError when nobody answers."""
    handlers = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    begin = time.monotonic()
    request = urllib.request.Request(url, headers=headers or {})
    try:
        answer = urllib.request.build_opener(*handlers).open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read(_ANSWER_LIMIT_BYTES)
        return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body,
                          time.monotonic() - begin)


class _HttpProgram:
    """A program that listens on one reserved loopback port for HTTP."""

    ready_path = "/"

    def __init__(self, name):
        self.name = name
        self.port = ports.reserve()
        self.folder = workspace.new_folder(name)
        self.stderr_path = self.folder / "stderr.txt"
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def command(self):
        raise NotImplementedError

    def start(self):
        """Starts the program; does not wait.  Works again after stop_process()."""
        self.process = process.Process(self.name, self.command(), cwd=self.folder, stdout=self.folder / "stdout.txt",
                                       stderr=self.stderr_path)
        return self

    def get(self, path, **options):
        return http_get(self.url + path, **options)

    def wait_ready(self, deadline_s=60.0):
        """Waits until ready_path answers 200; returns the seconds waited."""
        def ready():
            try:
                return self.get(self.ready_path, timeout_s=2.0).status == 200
            except OSError:
                return False
        return process.wait_for(ready, deadline_s, f"{self.name} to be ready", child=self.process)[1]

    def stop_process(self, grace_s=10.0):
        """SIGTERM and, after the grace, SIGKILL; keeps port and files.  Returns the exit status."""
        return self.process.terminate(grace_s) if self.process is not None else None

    def stop(self):
        """Ends the program and removes its files.  Returns the exit status."""
        status = self.stop_process()
        ports.release(self.port)
        workspace.remove_folder(self.folder)
        return status

    def stderr(self):
        """Everything that the program wrote to its error output."""
        return self.stderr_path.read_text("utf-8", "replace") if self.stderr_path.exists() else ""

    def __enter__(self):
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()


class Prometheus(_HttpProgram):
    """A Prometheus server with its own configuration and data.

    scrape_configs  list of scrape_config mappings, or a mapping job name -> list of "host:port".
    rule_files      paths; alertmanager: an Alertmanager of this module.
    """

    ready_path = "/-/ready"

    def __init__(self, scrape_configs, *, rule_files=(), scrape_interval="1s", evaluation_interval=None,
                 scrape_timeout=None, alertmanager=None, external_labels=None, flags=()):
        self._program = process.find_program("prometheus", "prometheus")
        super().__init__("prometheus")
        if isinstance(scrape_configs, dict):
            scrape_configs = [{"job_name": job, "static_configs": [{"targets": list(targets)}]}
                              for job, targets in scrape_configs.items()]
        settings = {"scrape_interval": scrape_interval, "evaluation_interval": evaluation_interval or scrape_interval,
                    "scrape_timeout": scrape_timeout or scrape_interval}
        if external_labels:
            settings["external_labels"] = dict(external_labels)
        self.configuration = {"global": settings, "scrape_configs": list(scrape_configs),
                              "rule_files": [str(pathlib.Path(path).resolve()) for path in rule_files]}
        if alertmanager is not None:
            self.configuration["alerting"] = {
                "alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}]}
        self._flags = list(flags)

    def command(self):
        path = self.folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(self.configuration, sort_keys=False), encoding="utf-8")
        return [self._program, f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={self.address}", "--storage.tsdb.retention.time=1d", "--log.level=warn",
                "--rules.alert.resend-delay=1s", *self._flags]

    def _api(self, path, **parameters):
        query = urllib.parse.urlencode({name: value for name, value in parameters.items() if value is not None},
                                       doseq=True)
        answer = self.get(f"/api/v1/{path}?{query}").json()
        if answer["status"] != "success":
            raise ValueError(f"Prometheus refused {path} {parameters}: {answer['errorType']}: {answer['error']}")
        return answer["data"]

    def query(self, expression, at=None):
        """Instant query -> list of (labels, value); a scalar has no labels.  ValueError for a bad expression."""
        data = self._api("query", query=expression, time=at)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def value(self, expression):
        """The one value of an expression; None when it is empty, ValueError when there are several."""
        found = self.query(expression)
        if len(found) > 1:
            raise ValueError(f"{expression} has {len(found)} values, expected one")
        return found[0][1] if found else None

    def query_range(self, expression, start, end, step):
        """Range query -> list of (labels, [(unix time, value)…])."""
        data = self._api("query_range", query=expression, start=start, end=end, step=step)
        return [(one["metric"], [(when, float(value)) for when, value in one["values"]]) for one in data["result"]]

    def has_series(self, selector):
        """Whether any series matches, now or earlier."""
        return bool(self._api("series", **{"match[]": selector}))

    def metric_names(self):
        return sorted(self._api("label/__name__/values"))

    def targets(self):
        """The active targets as Prometheus describes them."""
        return self._api("targets", state="active")["activeTargets"]

    def rules(self):
        """All rules of all groups, flat."""
        return [rule for group in self._api("rules")["groups"] for rule in group["rules"]]

    def rule_errors(self):
        """(name, error) of each rule whose last evaluation failed."""
        return [(rule["name"], rule["lastError"]) for rule in self.rules() if rule.get("lastError")]

    def alerts(self, name=None, state=None):
        """Active alerts (labels, annotations, state, activeAt, value), by name and state (pending, firing) if given."""
        return [alert for alert in self._api("alerts")["alerts"]
                if name in (None, alert["labels"]["alertname"]) and state in (None, alert["state"])]

    def firing(self):
        """The names of the alerts that fire now."""
        return {alert["labels"]["alertname"] for alert in self.alerts(state="firing")}

    def wait_for(self, expression, deadline_s, condition=bool):
        """Waits until condition(query result) holds; returns (result, seconds waited)."""
        last = []

        def holds():
            last[:] = self.query(expression)
            return condition(last)
        _, waited = process.wait_for(holds, deadline_s, f"Prometheus: {expression}", child=self.process)
        return list(last), waited

    def wait_for_alert(self, name, deadline_s, state="firing"):
        """Waits until the alert is in the state; returns (alerts, seconds waited)."""
        return process.wait_for(lambda: self.alerts(name, state), deadline_s, f"alert {name} to be {state}",
                                child=self.process)

    def wait_until_silent(self, name, deadline_s):
        """Waits until the alert is neither pending nor firing; returns the seconds waited."""
        return process.wait_for(lambda: not self.alerts(name), deadline_s, f"alert {name} to resolve",
                                child=self.process)[1]

    def wait_for_scrapes(self, deadline_s=30.0):
        """Waits until every target has been scraped with success."""
        def scraped():
            targets = self.targets()
            # The health is told a moment before the samples can be asked for.
            return (targets and all(target["health"] == "up" for target in targets)
                    and self.value("sum(up)") == len(targets))
        return process.wait_for(scraped, deadline_s, "all targets to be scraped", child=self.process)[1]


@dataclasses.dataclass(frozen=True)
class Notification:
    """One alert of one webhook call."""
    received_at: float  # time.time()
    status: str         # firing or resolved
    name: str
    labels: dict
    annotations: dict
    starts_at: str
    ends_at: str


class WebhookReceiver:
    """A small HTTP server that records what Alertmanager sends."""

    def __init__(self):
        self.port = ports.reserve()
        self._mutex = threading.Lock()
        self._received = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Records the body of each POST."""

            def do_POST(self):  # The base class prescribes the name.
                now = time.time()
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver._mutex:
                    receiver._received += [
                        Notification(now, alert["status"], alert["labels"].get("alertname", ""), alert["labels"],
                                     alert["annotations"], alert["startsAt"], alert["endsAt"])
                        for alert in document["alerts"]]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="webhook", daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def notifications(self, name=None, status=None):
        """What arrived so far, oldest first."""
        with self._mutex:
            return [one for one in self._received if name in (None, one.name) and status in (None, one.status)]

    def wait_for(self, name, status, deadline_s, since=0.0):
        """Waits for a notification that arrived after `since` (time.time()); returns the first."""
        def arrived():
            return next((one for one in self.notifications(name, status) if one.received_at > since), None)
        return process.wait_for(arrived, deadline_s, f"notification {name} {status}")[0]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        ports.release(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Alertmanager(_HttpProgram):
    """An Alertmanager that sends everything, one group for each alert name, to a WebhookReceiver at once."""

    ready_path = "/-/ready"

    def __init__(self, receiver, *, configuration=None):
        self._program = process.find_program("prometheus-alertmanager", "prometheus-alertmanager")
        super().__init__("alertmanager")
        self.configuration = configuration or {
            "route": {"receiver": "webhook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
                      "repeat_interval": "1h"},
            "receivers": [{"name": "webhook", "webhook_configs": [{"url": receiver.url, "send_resolved": True}]}]}

    def command(self):
        path = self.folder / "alertmanager.yml"
        path.write_text(yaml.safe_dump(self.configuration, sort_keys=False), encoding="utf-8")
        return [self._program, f"--config.file={path}", f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address={self.address}", "--cluster.listen-address=", "--log.level=warn"]

    def alerts(self):
        """What Alertmanager holds now (its API v2)."""
        return self.get("/api/v2/alerts").json()


def exporter_binary(given=None, preset="release"):
    """watchkeeper-exporter: `given`, else WK_BIN (the file, or the folder that has it), else build/<preset>/bin."""
    path = pathlib.Path(given or os.environ.get("WK_BIN") or _REPOSITORY / "build" / preset / "bin")
    if path.is_dir():
        path = path / "watchkeeper-exporter"
    if not os.access(path, os.X_OK):
        # Our own program is no outside part: without it a test fails, it is not skipped.
        raise FileNotFoundError(f"{path} is not there; build it (cmake --build --preset {preset}) or set WK_BIN")
    return path


class Exporter(_HttpProgram):
    """watchkeeper-exporter on a reserved port; `arguments` are all others than the listen address."""

    ready_path = "/livez"

    def __init__(self, arguments, *, binary=None, preset="release"):
        self._program = exporter_binary(binary, preset)
        super().__init__("exporter")
        self.arguments = [str(word) for word in arguments]

    def command(self):
        return [self._program, f"--listen-address={self.address}", *self.arguments]

    def metrics(self):
        """The text of /metrics."""
        answer = self.get("/metrics")
        if answer.status != 200:
            raise ValueError(f"/metrics answered {answer.status}: {answer.text[:500]}")
        return answer.text

    def get_json(self, path):
        """The JSON document at a path, whatever the status."""
        return self.get(path).json()


class IncumbentExporter(_HttpProgram):
    """The widely used zookeeper-exporter by dabealu, for comparison; fetch_incumbent.sh gets it.

    Found through `binary`, else WK_INCUMBENT (the file, or the folder that has it), else fetched.
    """

    ready_path = "/metrics"

    def __init__(self, targets, *, binary=None, timeout_s=2):
        path = pathlib.Path(binary or os.environ.get("WK_INCUMBENT")
                            or workspace.fetched("fetch_incumbent.sh", [], "incumbent"))
        self._program = path / "zookeeper-exporter" if path.is_dir() else path
        if not os.access(self._program, os.X_OK):
            raise workspace.LabUnavailable(f"{self._program} is not there; run tests/lab/fetch_incumbent.sh DIR")
        super().__init__("incumbent")
        self._targets = list(targets)
        self._timeout_s = timeout_s

    def command(self):
        return [self._program, "-listen", self.address, "-zk-hosts", ",".join(self._targets), "-timeout",
                str(self._timeout_s)]
