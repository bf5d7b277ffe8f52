"""What the tests of the exporter share: set-up that skips with a reason, and readers of its documents."""

import json
import time
import unittest

from lab import process, workspace


class LabTestCase(unittest.TestCase):
    """A test whose set-up says what is missing on this machine by skipping."""

    def lab(self, make, *arguments, **options):
        """make(…) as a context that ends with the test."""
        try:
            return self.enterContext(make(*arguments, **options))
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None

    @classmethod
    def class_lab(cls, make, *arguments, **options):
        """The same for the whole class."""
        try:
            return cls.enterClassContext(make(*arguments, **options))
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None

    def assert_polled_steadily(self, exporter, members, seconds, interval_s=1.0):
        """Each member is visited once an interval during the next seconds: at most a fifth and one are missing."""
        begin, before = time.monotonic(), {member: document(exporter, member)["polls"] for member in members}
        time.sleep(seconds)
        after = {member: document(exporter, member)["polls"] for member in members}
        due = (time.monotonic() - begin) / interval_s
        for member in members:
            self.assertGreaterEqual(after[member] - before[member], int(0.8 * due) - 1,
                                    f"{member}: visits in {due * interval_s:.1f} s")


def write_configuration(folder, ensembles, name="exporter.yaml", **settings):
    """A configuration file; JSON is YAML."""
    path = folder / name
    path.write_text(json.dumps({"ensembles": ensembles, **settings}, indent=1), encoding="utf-8")
    return path


def document(exporter, member, ensemble=None):
    """What /api/v1/members says about one member."""
    query = f"/api/v1/members?member={member}" + (f"&ensemble={ensemble}" if ensemble else "")
    answer = exporter.get(query)
    if answer.status != 200:
        raise AssertionError(f"{query} answered {answer.status}: {answer.text}")
    return answer.json()["members"][0]


def status(exporter, ensemble=None):
    """The status document's part about one ensemble; the only one when no name is given."""
    found = [one for one in exporter.get_json("/api/v1/status")["ensembles"] if ensemble in (None, one["name"])]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} ensembles are called {ensemble}")
    return found[0]


def source(member_document, name):
    """One source of a member's document."""
    return next(one for one in member_document["sources"] if one["source"] == name)


def measurement(member_document, name):
    """A plain number of the member's status; None when it does not tell it."""
    facts = member_document["facts"]["status"]
    return next((one["value"] for one in facts["measurements"] if one["name"] == name and one["key"] is None), None)


def wait_for_source(exporter, member, name, state, deadline_s, ensemble=None):
    """Waits until the newest question to the source had this outcome; returns (the source, seconds waited)."""
    last = {}

    def reached():
        last["source"] = source(document(exporter, member, ensemble), name)
        return last["source"] if last["source"]["state"] == state else None
    try:
        return process.wait_for(reached, deadline_s, f"{name} of {member} to be {state}", child=exporter.process)
    except TimeoutError as error:
        raise AssertionError(f"{error}; it is {last['source']}") from None


def wait_for_state(exporter, member, state, deadline_s, ensemble=None):
    """Waits until the member's serving state is this one; returns (the document, seconds waited)."""
    last = {}

    def reached():
        last["member"] = document(exporter, member, ensemble)
        return last["member"] if last["member"]["state"] == state else None
    try:
        return process.wait_for(reached, deadline_s, f"{member} to be {state}", child=exporter.process)
    except TimeoutError as error:
        raise AssertionError(f"{error}; it is {last['member']['state']}: {last['member']['state_reason']}; sources: "
                             f"{[one for one in last['member']['sources'] if one['state'] != 'not_tried']}") from None


def wait_for_status_source(exporter, member, name, deadline_s, ensemble=None):
    """Waits until the member's status comes from this source; returns (the document, seconds waited)."""
    def reached():
        found = document(exporter, member, ensemble)
        facts = found["facts"]["status"]
        return found if facts is not None and facts["source"] == name else None
    return process.wait_for(reached, deadline_s, f"the status of {member} to come from {name}", child=exporter.process)


def wait_until_visited(exporter, deadline_s=20.0):
    """Waits until every member has been visited once."""
    return process.wait_for(lambda: exporter.get("/readyz").status == 200, deadline_s, "every member to be visited",
                            child=exporter.process)[1]
