"""The accessibility checks of axe-core on a page of the browser."""

from functools import cache
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

SCRIPT = Path(__file__).resolve().parent.parent / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# Each color scheme and each width.
VIEWS: tuple[tuple[Literal["light", "dark"], int], ...] = (("dark", 390), ("light", 1440))
# A color in transition has a contrast of its own.
STOP_TRANSITIONS = """
() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* {transition: none !important}");
    document.adoptedStyleSheets.push(sheet);
}
"""
RUN = """
async () => {
    const {violations} = await axe.run({resultTypes: ["violations"]});
    return violations.map(({id, impact, nodes}) => [id, impact, nodes.map(({html}) => html.slice(0, 200))]);
}
"""


@cache
def _source() -> str:
    assert SCRIPT.exists(), "axe-core is missing: run `make setup`"
    return SCRIPT.read_text()


def violations(page: Page, ignored: tuple[str, ...] = ()) -> list[str]:
    """Return the serious violations of a page in each view: rule, and elements that break it."""
    # Evaluated by the browser's debugger, which the content security policy allows.
    page.evaluate(_source())
    page.evaluate(STOP_TRANSITIONS)
    problems = []
    for scheme, width in VIEWS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        problems += [
            f"{scheme}, {width} px: {rule} ({impact}): {elements[:3]}"
            for rule, impact, elements in page.evaluate(RUN)
            if impact in SERIOUS and rule not in ignored
        ]
    return problems
