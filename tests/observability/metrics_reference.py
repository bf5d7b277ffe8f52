"""docs/METRICS.md as data: what the reference promises about the presence of each metric."""

import dataclasses
import pathlib
import re

PATH = pathlib.Path(__file__).resolve().parents[2] / "docs" / "METRICS.md"

_ROW = re.compile(r"^\| `(?P<name>[a-z0-9_]+)` \| (?P<type>\w+) \| (?P<unit>[^|]*) \| (?P<labels>[^|]*) \| "
                  r"(?P<present>[^|]*) \| ", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Metric:
    """One row of the tables that have a column "Present"."""
    name: str
    type: str
    labels: tuple
    present: str


def metrics():
    """All rows, in the order of the document."""
    found = [Metric(row["name"], row["type"], tuple(re.findall(r"`(\w+)`", row["labels"])), row["present"].strip())
             for row in _ROW.finditer(PATH.read_text("utf-8"))]
    if len(found) < 100:
        raise ValueError(f"{PATH}: only {len(found)} rows were understood; has the layout of the tables changed?")
    return found


def missing(exposition, ensembles, present=("always",)):
    """What the reference promises and this scrape lacks, in words.

    ensembles   name -> addresses of its members;  present: the kinds of promise to check, as the column says them.
    """
    complaints = []
    for metric in metrics():
        if metric.present not in present:
            continue
        name = metric.name + ("_count" if metric.type in ("histogram", "summary") else "")
        samples = exposition.select(name)
        member_label = next((label for label in ("member", "zk_host") if label in metric.labels), None)
        if "ensemble" not in metric.labels:
            wanted = [{}]
        elif member_label is None:
            wanted = [{"ensemble": ensemble} for ensemble in ensembles]
        else:
            wanted = [{"ensemble": ensemble, member_label: member} for ensemble, members in ensembles.items()
                      for member in members]
        for labels in wanted:
            fitting = [sample for sample in samples if labels.items() <= sample.labels.items()]
            if not fitting:
                complaints.append(f"{name}{labels or ''} is absent")
            elif set(metric.labels) != set(fitting[0].labels) - {"le", "quantile"}:
                complaints.append(f"{name} has the labels {sorted(fitting[0].labels)}, not {sorted(metric.labels)}")
    return complaints
