"""The overview as text, for tests."""

import html
import re

from django.test import Client

from tests.pages import fetch


def overview(client: Client, query: str = "") -> str:
    """Return the text of the overview, with each text of an element in a line."""
    page = fetch(client, f"overview/{query}")
    text = html.unescape(re.sub("<[^>]+>", "\n", page[page.index('id="content-main"') :]))
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def figure(text: str, name: str) -> str:
    """Return the number of a name."""
    return text.split("\nNumbers\n")[1].split(f"{name}\n")[1].split("\n")[0]


def hot_key(text: str, name: str) -> list[str]:
    """Return the cells of a hot key: used, room, write units a second, logs, busiest hour."""
    return text.split("\nPartition key\n")[1].split(f"{name}\n")[1].split("\n")[:5]
