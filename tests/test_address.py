"""The client's IP address: notations, trusted proxies and headers, truncation."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import RequestFactory, override_settings

from ingest import address
from ingest.django import LogContextMiddleware
from ingest.request_fields import submitter_ip


def make_request(**meta: Any) -> HttpRequest:
    return RequestFactory().get("/", **{"REMOTE_ADDR": "192.0.2.1", **meta})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7:8080 ", "203.0.113.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", None),
        ("unknown", None),
        ("203.0.113", None),
        ("203.0.113.07", None),
        ("1" * 5000, None),
        ("<script>", None),
        ("203.0.113.7\x00", None),
    ],
)
def test_address_is_normalized(text: str, expected: str | None) -> None:
    assert address.format_address(address.parse(text), "full") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", "203.0.113.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("::ffff:203.0.113.7", "203.0.113.0"),
    ],
)
def test_truncated_address_keeps_24_or_48_bits(text: str, expected: str) -> None:
    assert address.format_address(address.parse(text), "truncated") == expected
    assert address.format_address(address.parse(text), "off") is None


def test_forwarded_header_is_not_trusted_by_default() -> None:
    headers = {"HTTP_X_FORWARDED_FOR": "203.0.113.7", "HTTP_X_REAL_IP": "203.0.113.7"}
    assert submitter_ip(make_request(**headers)) == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (1, "198.51.100.9, 203.0.113.7", "203.0.113.7"),
        (2, "forged, 203.0.113.7, 198.51.100.2", "203.0.113.7"),
        (2, "203.0.113.7", "192.0.2.1"),
        (1, "203.0.113.7, unknown", None),
        (1, "", "192.0.2.1"),
    ],
)
def test_trusted_proxies_count_from_the_right(proxies: int, header: str, expected: str | None) -> None:
    with override_settings(LOGS_TRUSTED_PROXIES=proxies):
        assert submitter_ip(make_request(HTTP_X_FORWARDED_FOR=header)) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CF-Connecting-IP", "203.0.113.7", "203.0.113.7"),
        ("CloudFront-Viewer-Address", "203.0.113.7:46532", "203.0.113.7"),
        (
            "CloudFront-Viewer-Address",
            "2001:db8:85a3:0:0:8a2e:370:7334:46532",
            "2001:db8:85a3::8a2e:370:7334",
        ),
        ("CloudFront-Viewer-Address", "[2001:db8::1]:46532", "2001:db8::1"),
        ("X-Forwarded-For", "forged, 203.0.113.7", "203.0.113.7"),
        ("X-Real-IP", "nonsense", None),
        ("X-Real-IP", "", "192.0.2.1"),
    ],
)
def test_trusted_header_has_the_address(name: str, value: str, expected: str | None) -> None:
    with override_settings(LOGS_IP_HEADER=name):
        key = f"HTTP_{name.upper().replace('-', '_')}"
        assert submitter_ip(make_request(**{key: value})) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"requestContext": {"identity": {"sourceIp": "203.0.113.7"}}}, "203.0.113.7"),
        ({"requestContext": {"http": {"sourceIp": "203.0.113.7"}}}, "203.0.113.7"),
        ({"requestContext": {"identity": {"sourceIp": None}}}, None),
        ({"requestContext": {"elb": {}}}, None),
        ({"requestContext": "x"}, None),
    ],
)
def test_api_gateway_has_the_address(event: dict[str, Any], expected: str | None) -> None:
    """Zappa takes REMOTE_ADDR from X-Forwarded-For, which a client can send."""
    assert submitter_ip(make_request(**{"lambda.event": event})) == expected


def test_unix_socket_has_no_address() -> None:
    assert submitter_ip(make_request(REMOTE_ADDR="")) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"LOGS_IP": "of"}, "LOGS_IP must be full, truncated or off, not 'of'"),
        ({"LOGS_TRUSTED_PROXIES": -1}, "LOGS_TRUSTED_PROXIES must be a number of proxies, not -1"),
        ({"LOGS_TRUSTED_PROXIES": True}, "LOGS_TRUSTED_PROXIES must be a number of proxies, not True"),
        ({"LOGS_TRUSTED_PROXIES": "1"}, "LOGS_TRUSTED_PROXIES must be a number of proxies, not '1'"),
        ({"LOGS_IP_HEADER": 1}, "LOGS_IP_HEADER must be the name of a header, not 1"),
        ({"LOGS_IP_HEADER": "X-Real-IP", "LOGS_TRUSTED_PROXIES": 1}, "not both"),
    ],
)
def test_invalid_address_setting_stops_the_start(options: dict[str, Any], message: str) -> None:
    with override_settings(**options), pytest.raises(ImproperlyConfigured, match=message):
        LogContextMiddleware(lambda request: None)
