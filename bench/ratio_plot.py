"""A plot of ratios as SVG, on a logarithmic scale."""

import math
from collections.abc import Mapping, Sequence
from html import escape

LEFT, RIGHT, TOP, BOTTOM = 190, 70, 62, 34
WIDTH, ROW = 760, 26
# Readable on a light and on a dark page.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.small { font-size: 12px; fill: #59636e; }
.grid { stroke: #d1d9e0; } .one { stroke: #59636e; } .range { stroke: #8c959f; stroke-width: 2; }
.s0 { fill: #a8c7fa; } .s1 { fill: #5b93e6; } .s2 { fill: #0b57d0; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .small { fill: #9198a1; }
  .grid { stroke: #3d444d; } .one { stroke: #9198a1; } .range { stroke: #656c76; }
  .s0 { fill: #34517f; } .s1 { fill: #5b93e6; } .s2 { fill: #bcd6ff; }
}"""
COLORS = 3


def plot(ratios: Mapping[str, Sequence[float]], sizes: Sequence[int]) -> str:
    """Return an SVG. It has a row for each name, and a point for each size.

    `ratios` has the ratios by name, in the order of `sizes`. The last ones are written beside the points.
    """
    values = [value for each in ratios.values() for value in each]
    low = min(0, math.floor(math.log10(min(values))))
    high = max(low + 1, math.ceil(math.log10(max(values))))
    bottom = TOP + ROW * len(ratios)

    def x(value: float) -> float:
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<text x="12" y="22">Times faster than Django\'s stock admin over MariaDB</text>{_legend(sizes)}',
        *(_line(x(10.0**power), bottom, power) for power in range(low, high + 1)),
    ]
    for row, (name, points) in enumerate(ratios.items()):
        y = TOP + ROW * row + ROW / 2
        ends = f'x1="{x(min(points)):.1f}" x2="{x(max(points)):.1f}"'
        parts += [
            f'<text x="{LEFT - 12}" y="{y + 4:g}" text-anchor="end">{escape(name)}</text>',
            f'<line class="range" {ends} y1="{y:g}" y2="{y:g}"/>',
            *(
                f'<circle class="{_color(index, sizes)}" cx="{x(value):.1f}" cy="{y:g}" r="5"/>'
                for index, value in enumerate(points)
            ),
            f'<text x="{WIDTH - 12}" y="{y + 4:g}" text-anchor="end">{_text(points[-1])}</text>',
        ]
    height = bottom + BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="Ratios of response times by question">\n'
        f"<style>{STYLE}\n</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _line(x: float, bottom: float, power: int) -> str:
    kind = "one" if power == 0 else "grid"
    return (
        f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
        f'<text class="small" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{_text(10.0**power)}</text>'
    )


def _legend(sizes: Sequence[int]) -> str:
    parts = []
    for index, size in enumerate(sizes):
        x = LEFT + 150 * index
        parts.append(
            f'<circle class="{_color(index, sizes)}" cx="{x}" cy="44" r="5"/>'
            f'<text class="small" x="{x + 11}" y="48">{size:,} logs</text>'
        )
    return "".join(parts)


def _color(index: int, sizes: Sequence[int]) -> str:
    """Return the class of a size: the last one has the strongest color."""
    return f"s{max(0, COLORS - len(sizes) + index)}"


def _text(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"
