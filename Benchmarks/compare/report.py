"""The table of a comparison."""

import dataclasses

from models import MULTIPLIED, VOCABULARY, HIDDEN


@dataclasses.dataclass(frozen=True)
class Pair:
    """The forms that are compared: the same bits for each weight on both sides."""

    ours: str
    theirs: str


PAIRS = [Pair("MLX 4-bit", "Q4_0"), Pair("Q4_0", "Q4_0"), Pair("Q4_K_M", "Q4_K_M")]


class Limits:
    """What the machine could do at most, as `pensieve bench` measured it beside its rows."""

    def __init__(self, measured: dict[str, float]):
        self.read = measured["readBytesPerSecond"]
        self.operations = measured["int8OperationsPerSecond"]

    def tokens_per_second(self, row, weight_bytes: int, kv_bytes: int) -> float:
        """The lesser of two limits: every step reads the weights and the keys and values of its sessions once, and
        multiplies each weight with each token. `sessions` of a prefill are the tokens of its prompt, whose keys and
        values count for nothing here."""
        read = (weight_bytes + row.sessions * row.context * kv_bytes) / self.read
        compute = row.sessions * 2 * MULTIPLIED / self.operations
        return row.sessions / max(read, compute)


class Report:
    def __init__(self, results, ours, theirs, models):
        self.results, self.ours, self.theirs, self.models = results, ours, theirs, models
        measured = results.limit()
        self.limits = Limits(measured) if measured else None

    def lines(self, groups, about: dict[str, str], commands: list[str]) -> list[str]:
        lines = ["# Pensieve and llama.cpp on the same machine", ""]
        lines += ["| | |", "|---|---|"] + [f"| {name} | {value} |" for name, value in about.items()]
        if self.limits:
            lines.append(
                f"| limits, measured between the runs | {self.limits.read / 1e9:.1f} GB/s of memory read, "
                f"{self.limits.operations / 1e12:.2f} Top/s in int8: medians of what `pensieve bench` found |")
        lines += ["", NOTES, ""]
        for pair in PAIRS:
            table = self.table(groups, pair)
            if table:
                lines += [f"## {self.heading(pair)}", "", *table, ""]
        return lines + ["## Commands", "", "```", *commands, "```", ""]

    def heading(self, pair: Pair) -> str:
        ours, theirs = self.bits(pair.ours), self.bits(pair.theirs)
        return f"Pensieve {pair.ours} ({ours:.2f} bits per weight), llama.cpp {pair.theirs} ({theirs:.2f})"

    def bits(self, form: str) -> float:
        return 8 * self.models.weights(form).stat().st_size / (MULTIPLIED + VOCABULARY * HIDDEN)

    def table(self, groups, pair: Pair) -> list[str]:
        rows = []
        for group in groups:
            for row in group.rows:
                cells = self.row(row, pair)
                if cells:
                    rows.append("| " + " | ".join(cells) + " |")
        if not rows:
            return []
        return ["| | Pensieve | llama.cpp | times better | of the limit | |", "|---|---|---|---|---|---|", *rows]

    def row(self, row, pair: Pair) -> list[str] | None:
        """Nothing where our side has not been asked."""
        ours = self.results.summary(row, self.ours.name, pair.ours)
        theirs = self.results.summary(row, self.theirs.name, pair.theirs)
        reasons = [
            self.results.reason(row.name, side.name, form) if summary is None else None
            for side, form, summary in ((self.ours, pair.ours, ours), (self.theirs, pair.theirs, theirs))]
        if not (ours or reasons[0]):
            return None
        cells = [
            figure(summary, row.unit) if summary else reason or "–"
            for summary, reason in ((ours, reasons[0]), (theirs, reasons[1]))]
        ratio = better(row, ours, theirs)
        shares = [
            self.share(row, side, form, summary)
            for side, form, summary in ((self.ours, pair.ours, ours), (self.theirs, pair.theirs, theirs))]
        share = " / ".join(shares) if any(shares) else ""
        return [row.title, *cells, f"**{ratio:.2f}**" if ratio else "", share, extras(ours, theirs)]

    def share(self, row, side, form: str, summary) -> str:
        if not (self.limits and summary and row.sessions):
            return ""
        kv = side.kv_bytes_per_token(form) if row.context else 0
        limit = self.limits.tokens_per_second(row, self.models.weight_bytes(form), kv)
        return f"{100 * summary.median / limit:.0f} %"


def better(row, ours, theirs) -> float | None:
    """How many times ours is better: faster, shorter, or smaller."""
    if not (ours and theirs and ours.median and theirs.median):
        return None
    return ours.median / theirs.median if row.higher else theirs.median / ours.median


def figure(summary, unit: str) -> str:
    text = value(summary.median, unit)
    if summary.runs > 1:
        least, most = value(summary.least, unit, named=False), value(summary.most, unit, named=False)
        text += f" ({least}–{most} in {summary.runs} runs)"
    return text


def value(number: float, unit: str, named: bool = True) -> str:
    if unit == "bytes":
        number, unit = number / 1e9, "GB"
    elif unit == "s" and number < 1:
        # Both ends of a spread and the median may be in different units, so each names its own.
        return f"{digits(1000 * number)} ms"
    elif unit == "s":
        return f"{digits(number)} s"
    return f"{digits(number)} {unit}" if named else digits(number)


def digits(number: float) -> str:
    """Three of them where there are as many."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def extras(ours, theirs) -> str:
    """What else is to be known of a row: each figure of both sides."""
    names = (ours or theirs).extra if ours or theirs else {}

    def text(summary, name: str) -> str:
        if summary is None:
            return "–"
        number = summary.extra[name]
        return value(number, "s") if name.startswith("median") else digits(number) if number < 100 else f"{number:.0f}"

    return "; ".join(f"{name}: {text(ours, name)} / {text(theirs, name)}" for name in names)


NOTES = """Random weights in the exact shapes of Phi-3-mini-4k (3.8 billion parameters); greedy answers of a fixed length. Both
sides use the same number of threads, one for each core, and ran in turn; each figure is the median of its runs, with the
least and the most, or that of one run. *Times better* is the ratio of the medians, above 1 where Pensieve is faster,
shorter or smaller.
*Of the limit*, Pensieve's and llama.cpp's: tokens per second against the lesser of what memory bandwidth (weights, keys and
values read once a step) and int8 arithmetic allow. A session *at 1,024 tokens* has so many at the end of a run of 16.
llama.cpp runs with flash attention and keeps keys and values in 16 bits; Pensieve as its settings are."""
