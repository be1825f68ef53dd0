"""Links from the fields of a log into the main application: LOGS_LINKS."""

from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote, urlsplit

from logs import conf
from logs.models import NO_ONE

# Browsers and servers refuse longer addresses.
MAX_URL = 4_000
# A browser would leave these parts out of a path.
DOTS = (".", "..")
WHO = ("account_id", "user_id")


def application_links(fields: Mapping[str, str | None]) -> dict[str, str]:
    """Return the address in the main application of each field that has one.

    `fields` are a log's, by name. A field has no address if a value of its template is missing.
    """
    # No one has no page in the application.
    fields = {name: None if name in WHO and value == NO_ONE else value for name, value in fields.items()}
    addresses = {field: _fill(template, fields) for field, template in conf.links().items()}
    return {field: address for field, address in addresses.items() if address}


def host(address: str) -> str:
    """Return the host of an address, as the text of a link to it."""
    return urlsplit(address).hostname or ""


def _fill(template: str, fields: Mapping[str, str | None]) -> str | None:
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    values = {name: fields.get(name) or "" for name in names}
    if not all(values.values()) or any(value in DOTS or len(value) > MAX_URL for value in values.values()):
        return None
    address = template.format_map({name: quote(value, safe="") for name, value in values.items()})
    return address if len(address) <= MAX_URL else None
