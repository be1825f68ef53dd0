"""The results of the head-to-head as JSON, Markdown and a plot."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import django

from bench import ratio_plot

STOCK, LOGSITE = "admin", "logsite"
# The names of `bench.stock_admin.VARIANTS` in tables.
HEADINGS = {
    "admin": "stock admin",
    "uncounted": "without the full count",
    "plain": "without filters too",
    LOGSITE: "Logsite",
}


@dataclass(frozen=True)
class Measurement:
    """The rows of a question, and the median seconds of each admin."""

    name: str
    rows: int
    seconds: dict[str, float]

    def ratio(self, variant: str = STOCK) -> float:
        """Return how many times longer a stock admin takes than Logsite."""
        return self.seconds[variant] / self.seconds[LOGSITE]


@dataclass(frozen=True)
class Size:
    """The measurements at one number of logs."""

    logs: int
    server: str
    measurements: list[Measurement]


def markdown(sizes: Sequence[Size]) -> str:
    """Return a table of each size, and one of the ratios of all sizes."""
    parts = [_times(size) for size in sizes]
    if len(sizes) > 1:
        parts.append(_ratios(sizes))
    return "\n\n".join(parts)


def save(sizes: Sequence[Size], folder: Path) -> None:
    """Write `mysql.json`, `mysql.md` and `mysql.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {
        "python": platform.python_version(),
        "django": django.__version__,
        "sizes": [asdict(size) for size in sizes],
    }
    ratios = {
        each.name: [size.measurements[index].ratio() for size in sizes]
        for index, each in enumerate(sizes[0].measurements)
    }
    files = {
        "json": json.dumps(results, indent=2) + "\n",
        "md": markdown(sizes) + "\n",
        "svg": ratio_plot.plot(ratios, [size.logs for size in sizes]),
    }
    for suffix, text in files.items():
        (folder / f"mysql.{suffix}").write_text(text)
    print(f"\nSaved {', '.join(str(folder / f'mysql.{suffix}') for suffix in files)}")


def _times(size: Size) -> str:
    stock = [variant for variant in HEADINGS if variant != LOGSITE]
    lines = [
        f"{size.logs:,} logs, {size.server}, Django {django.__version__}",
        "",
        f"| question | rows | {' | '.join(HEADINGS.values())} | ratio | without the full count |",
        f"|:---{'|---:' * (len(HEADINGS) + 3)}|",
    ]
    for each in size.measurements:
        cells = [each.name, f"{each.rows:,}", *(_milliseconds(each.seconds[name]) for name in HEADINGS)]
        cells += [_ratio(each.ratio(variant)) for variant in stock[:2]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratios(sizes: Sequence[Size]) -> str:
    lines = [
        "Ratios of the stock admin to Logsite. Last column: Logsite's time at the last size to the first.",
        "",
        f"| question | {' | '.join(f'{size.logs:,}' for size in sizes)} | Logsite |",
        f"|:---{'|---:' * (len(sizes) + 1)}|",
    ]
    for each in zip(*(size.measurements for size in sizes), strict=True):
        growth = each[-1].seconds[LOGSITE] / each[0].seconds[LOGSITE]
        cells = [each[0].name, *(_ratio(one.ratio()) for one in each), f"{growth:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def _ratio(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
