"""The fields of a log as HTML. A template takes several times as long."""

from collections.abc import Iterable
from html import escape

from django.utils.safestring import SafeString

from logs.pages.log_fields import Field

EXTERNAL = ' rel="noopener noreferrer"'


def field_list(fields: Iterable[Field], file_href: str) -> SafeString:
    """Return fields as a list of definitions. `file_href` is the address of the log as a file."""
    rows = [f"<div><dt>{escape(each.label)}</dt>{_value(each, file_href)}</div>\n" for each in fields]
    return SafeString("".join(['<dl class="logs-fields">\n', *rows, "</dl>"]))


def _value(field: Field, file_href: str) -> str:
    value = field.truncated
    text = f"<bdi>{escape(value.text)}</bdi>"
    if field.href:
        text = f'<a href="{escape(field.href)}"{EXTERNAL if field.external else ""}>{text}</a>'
    if link := field.application:
        host = f"Open at <bdi>{escape(link.text)}</bdi> ↗"
        text += f' <a href="{escape(link.href or "")}"{EXTERNAL}>{host}</a>'
    if value.length:
        text += (
            f'<p class="help">The first {value.shown} of {value.length} characters. '
            f'<a href="{escape(file_href)}">The file</a> holds all of them.</p>'
        )
    # A box that scrolls needs the focus of the keyboard.
    box = ' class="logs-long" tabindex="0"' if field.is_long else ""
    return f"<dd{box}>{text}</dd>"
