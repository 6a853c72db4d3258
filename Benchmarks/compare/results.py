"""The figures of all runs in one JSON file, so that an interrupted comparison goes on where it was."""

import dataclasses
import json
import os
import pathlib
import statistics


@dataclasses.dataclass
class Summary:
    median: float
    least: float
    most: float
    runs: int
    extra: dict[str, float]


class Results:
    """`runs`: one entry for each row, side, form and run, with either `figures` or `reason`, why there are none.

    `subject` names what is compared: figures of other programs or settings are dropped, those of both sides, so that
    what is compared was always measured side by side.
    """

    def __init__(self, path: pathlib.Path, subject: dict):
        self.path, self.subject = path, subject
        self.runs: list[dict] = []
        # The machine's, as each run of `pensieve bench` found them.
        self.limits: list[dict] = []
        # Pensieve's KV bytes for each token, by form.
        self.kv_bytes: dict[str, int] = {}
        try:
            stored = json.loads(path.read_text())
        except (OSError, ValueError):
            return
        if stored.get("subject") == subject:
            self.runs, self.limits, self.kv_bytes = stored["runs"], stored["limits"], stored["kv_bytes"]
        else:
            os.replace(path, path.with_suffix(".old.json"))

    def save(self):
        part = self.path.with_suffix(".part")
        stored = {"subject": self.subject, "kv_bytes": self.kv_bytes, "limits": self.limits, "runs": self.runs}
        part.write_text(json.dumps(stored, indent=1))
        os.replace(part, self.path)

    def entries(self, row: str, side: str, form: str) -> list[dict]:
        return [run for run in self.runs if (run["row"], run["side"], run["form"]) == (row, side, form)]

    def has(self, row: str, side: str, form: str, run: int) -> bool:
        return any(entry["run"] == run and "figures" in entry for entry in self.entries(row, side, form))

    def put(self, row: str, side: str, form: str, run: int, outcome: dict):
        """Replaces what there is of the same run."""
        key = (row, side, form, run)
        self.runs = [entry for entry in self.runs if (entry["row"], entry["side"], entry["form"], entry["run"]) != key]
        self.runs.append({"row": row, "side": side, "form": form, "run": run} | outcome)

    def forget(self, rows: set[str]):
        self.runs = [run for run in self.runs if run["row"] not in rows]

    def summary(self, row, side: str, form: str) -> Summary | None:
        figures = [entry["figures"] for entry in self.entries(row.name, side, form) if "figures" in entry]
        values = [run[row.metric] for run in figures]
        if not values:
            return None
        extra = {name: statistics.median(run[name] for run in figures) for name in row.extra}
        return Summary(statistics.median(values), min(values), max(values), len(values), extra)

    def reason(self, row: str, side: str, form: str) -> str | None:
        return next((entry["reason"] for entry in self.entries(row, side, form) if "reason" in entry), None)

    def limit(self) -> dict[str, float] | None:
        """The median of the machine's limits measured between the runs."""
        if not self.limits:
            return None
        return {name: statistics.median(limit[name] for limit in self.limits) for name in self.limits[0]}
