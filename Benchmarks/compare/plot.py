"""The plot of a comparison: SVG text that suits light and dark pages."""

import dataclasses
import html

from report import Pair, better, digits

WIDTH, PANEL, HEIGHT, GAP, TOP = 920, 280, 220, 40, 64
LEFT = 44

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 13px }
.small { font-size: 11px; fill: #59636e }
.axis { stroke: #d1d9e0; stroke-width: 1 }
.ours { fill: #0969da; stroke: #0969da }
.theirs { fill: #bc4c00; stroke: #bc4c00 }
.limit { stroke: #818b98; stroke-dasharray: 4 4; fill: none }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small { fill: #9198a1 }
  .axis { stroke: #3d444d }
  .ours { fill: #4493f8; stroke: #4493f8 }
  .theirs { fill: #f0883e; stroke: #f0883e }
  .limit { stroke: #9198a1 }
}
.line.ours, .line.theirs { fill: none }
text.ours, text.theirs { stroke: none }
"""


@dataclasses.dataclass
class Series:
    kind: str
    # Position among the ticks and value.
    points: list[tuple[int, float]]


class Canvas:
    def __init__(self):
        self.parts: list[str] = []

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start"):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(text)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def rectangle(self, x: float, y: float, width: float, height: float, kind: str):
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" class="{kind}"/>')

    def path(self, points: list[tuple[float, float]], kind: str, dots: bool):
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{text}" class="{kind}"/>')
        if dots:
            shade = kind.split()[-1]
            self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{shade}"/>' for x, y in points]


def curves(canvas: Canvas, x: float, y: float, title: str, unit: str, ticks: list[str], series: list[Series]):
    """A panel of lines over equally spaced ticks, from zero up."""
    height, width = HEIGHT - 60, PANEL - LEFT - 12
    top = max((value for one in series for _, value in one.points), default=0) or 1
    step = nice(top / 4)
    highest = step * -(-top // step)
    base = y + 28 + height
    canvas.text(x, y + 12, title, "title")
    for number in range(round(highest / step) + 1):
        level = base - number * step / highest * height
        canvas.line(x + LEFT, level, x + LEFT + width, level, "axis")
        canvas.text(x + LEFT - 6, level + 4, f"{number * step:g}", "small", "end")

    def place(index: int, value: float) -> tuple[float, float]:
        return x + LEFT + (index + 0.5) * width / len(ticks), base - value / highest * height

    for index, tick in enumerate(ticks):
        canvas.text(place(index, 0)[0], base + 16, tick, "small", "middle")
    canvas.text(x + LEFT + width / 2, base + 31, unit, "small", "middle")
    for one in series:
        points = [place(*point) for point in one.points]
        if one.kind == "limit":
            canvas.path(points, "limit", dots=False)
        else:
            canvas.path(points, f"line {one.kind}", dots=True)


def bars(canvas: Canvas, x: float, y: float, title: str, rows: list[tuple[str, float, float, float]]):
    """A panel of pairs of bars, each pair scaled to its larger one: (label, ours, theirs, times better)."""
    canvas.text(x, y + 12, title, "title")
    each = (HEIGHT - 40) / max(len(rows), 4)
    width = PANEL - 60
    for index, (label, ours, theirs, times) in enumerate(rows):
        level = y + 26 + index * each
        largest = max(ours, theirs)
        canvas.text(x, level + 10, label, "small")
        for row, (number, kind) in enumerate(((ours, "ours"), (theirs, "theirs"))):
            canvas.rectangle(x, level + 15 + 9 * row, max(2, number / largest * width), 7, kind)
        canvas.text(x + width + 8, level + 27, f"{digits(times)} ×", "title")


def nice(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 0.1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= value:
                return factor * power
        power *= 10


class Plot:
    def __init__(self, report, groups, pair: Pair):
        self.report, self.pair = report, pair
        self.rows = {row.name: row for group in groups for row in group.rows}

    def summaries(self, name: str):
        results, row = self.report.results, self.rows[name]
        return (
            results.summary(row, self.report.ours.name, self.pair.ours),
            results.summary(row, self.report.theirs.name, self.pair.theirs))

    def series(self, names: list[str], with_limit: bool) -> list[Series]:
        found = [self.summaries(name) for name in names]
        result = []
        if with_limit and self.report.limits:
            kv = self.report.ours.kv_bytes_per_token(self.pair.ours)
            weights = self.report.models.weight_bytes(self.pair.ours)
            limit = [self.report.limits.tokens_per_second(self.rows[name], weights, kv) for name in names]
            result.append(Series("limit", list(enumerate(limit))))
        for side, kind in ((1, "theirs"), (0, "ours")):
            points = [(index, both[side].median) for index, both in enumerate(found) if both[side]]
            if points:
                result.append(Series(kind, points))
        return result

    def pairs(self, labels: dict[str, str]) -> list[tuple[str, float, float, float]]:
        result = []
        for name, label in labels.items():
            if name not in self.rows:
                continue
            ours, theirs = self.summaries(name)
            times = better(self.rows[name], ours, theirs)
            if times:
                result.append((label, ours.median, theirs.median, times))
        return result

    def svg(self) -> str:
        panels = [panel for panel in self.panels() if panel]
        canvas = Canvas()
        canvas.rectangle(0, 8, 12, 12, "ours")
        canvas.text(18, 18, f"Pensieve, {self.pair.ours}")
        canvas.rectangle(170, 8, 12, 12, "theirs")
        canvas.text(188, 18, f"llama.cpp, {self.pair.theirs}")
        canvas.line(330, 14, 356, 14, "limit")
        canvas.text(362, 18, "what the machine could do")
        canvas.text(0, 40, "Phi-3-mini (3.8 B, 4 bits), same machine, same threads, medians", "small")
        for index, draw in enumerate(panels):
            draw(canvas, index % 3 * (PANEL + GAP), TOP + index // 3 * (HEIGHT + GAP))
        height = TOP + -(-len(panels) // 3) * (HEIGHT + GAP)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {WIDTH + 16} {height}" role="img" '
            f'aria-label="Speeds of Pensieve and llama.cpp"><style>{STYLE}</style>\n' + "\n".join(canvas.parts)
            + "\n</svg>\n")

    def panels(self):
        """Functions that draw a panel at a place; nothing where there are no figures."""

        def curve(title: str, unit: str, prefix: str, suffix: str = "", with_limit: bool = False):
            names = [name for name in self.rows if name.startswith(prefix) and name.endswith(suffix)]
            ticks = [name.removesuffix(suffix).removeprefix(prefix) for name in names]
            if not any(summary for name in names for summary in self.summaries(name)):
                return None
            series = self.series(names, with_limit)
            return lambda canvas, x, y: curves(canvas, x, y, title, unit, ticks, series)

        contexts = sorted({int(name.rsplit("-", 1)[1]) for name in self.rows if name.startswith("decode-")})
        yield curve("Prefill, tokens per second", "tokens of the prompt", "prefill-", with_limit=True)
        for context in contexts:
            if sum(name.endswith(f"-at-{context}") for name in self.rows) > 1:
                title = f"Decode at {context:,} tokens, tok/s in all"
                yield curve(title, "sessions", "decode-", f"-at-{context}", with_limit=True)
        yield curve("Served, tokens per second in all", "clients at once", "serve-")
        yield curve("Served, seconds to the first token", "clients at once", "ttft-")
        rows = self.pairs({
            "prefix": "8 clients, shared prefix: time", "long-gap": "long prompt: longest gap of others",
            "start": "start to ready", "memory": "resident memory"})
        if rows:
            yield lambda canvas, x, y: bars(canvas, x, y, "Shorter is better", rows)
