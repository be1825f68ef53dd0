"""The IP address of a client, as text from a header or a server."""

import ipaddress
from typing import Literal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Detail = Literal["full", "truncated", "off"]

# The bits that a truncated address keeps.
TRUNCATED_BITS = {4: 24, 6: 48}


def parse(text: str) -> Address | None:
    """Return an address, or None if the text is none.

    A port, brackets and a zone (`%eth0`) are removed. An IPv4 address in IPv6 notation becomes IPv4.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def format_address(address: Address | None, detail: Detail) -> str | None:
    """Return an address as text. Return None for None, and if `detail` is `off`.

    `truncated` keeps the network: 24 bits of an IPv4 address, 48 bits of an IPv6 address.
    """
    if address is None or detail == "off":
        return None
    if detail == "truncated":
        network = ipaddress.ip_network((address, TRUNCATED_BITS[address.version]), strict=False)
        return str(network.network_address)
    return str(address)


def forwarded(header: str, proxies: int) -> str | None:
    """Return the entry of X-Forwarded-For that the first trusted proxy added.

    Each proxy appends the address that connected to it. Entries further left can be forged. Return None if
    there are fewer entries than proxies: the request did not pass all of them.
    """
    entries = header.split(",")
    return entries[-proxies] if len(entries) >= proxies else None


def from_header(name: str, value: str) -> str:
    """Return the text of the address in a trusted header. Of a list the last entry counts."""
    value = value.rpartition(",")[2].strip()
    if name.lower() == "cloudfront-viewer-address":
        # Always with a port, also after an IPv6 address without brackets:
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
        value = value.rpartition(":")[0]
    return value
