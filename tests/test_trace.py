"""Request ids and trace ids: accepted headers, and headers that are ignored."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from ingest import trace
from ingest.request_fields import request_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
AMAZON = "5759e988bd862e3fe1be46a994272793"


def make_request(headers: dict[str, str] | None = None, event: Any = None) -> HttpRequest:
    return RequestFactory(headers=headers or {}).get("/", **{"lambda.event": event})


@pytest.mark.parametrize("header", ["abc-123", "x" * 200, "a b", "Root=1-5759e988"])
def test_request_id_comes_from_the_header(header: str) -> None:
    request = make_request({"X-Request-ID": f" {header} "})
    assert request_id(request) == header
    assert request_id(request) == header


@pytest.mark.parametrize("header", ["", "  ", "x" * 201, "a\nb", "a\x00b", "a\x1b[31m", "é", "\udcff"])
def test_unacceptable_request_id_is_replaced(header: str) -> None:
    request = make_request()
    request.META["HTTP_X_REQUEST_ID"] = header
    assert trace.parse_request_id(header) is None
    assert len(request_id(request)) == 32
    assert request_id(request) == request_id(request)


def test_request_id_of_api_gateway_is_second() -> None:
    event = {"requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}}
    assert request_id(make_request(event=event)) == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert request_id(make_request({"X-Request-ID": "mine"}, event)) == "mine"


@pytest.mark.parametrize("event", [{}, {"requestContext": None}, {"requestContext": {"requestId": 7}}, "x"])
def test_other_lambda_event_gets_a_new_request_id(event: Any) -> None:
    assert len(request_id(make_request(event=event))) == 32


@pytest.mark.parametrize("suffix", ["01", "00", "ff"])
def test_traceparent_has_the_trace_id(suffix: str) -> None:
    assert trace.parse_traceparent(f" 00-{TRACE}-{PARENT}-{suffix} ") == TRACE


def test_traceparent_of_a_later_version_may_be_longer() -> None:
    assert trace.parse_traceparent(f"cc-{TRACE}-{PARENT}-01-what-the-future-adds") == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        TRACE,
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE[:-1]}é-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n00",
    ],
)
def test_invalid_traceparent_is_ignored(header: str) -> None:
    assert trace.parse_traceparent(header) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Root=1-5759e988-bd862e3fe1be46a994272793", AMAZON),
        (
            "Self=1-67891234-12456789abcdef012345678a;Root=1-5759E988-bd862e3fe1be46a994272793;Sampled=1",
            AMAZON,
        ),
        ("Parent=53995c3f42cd8ad8; Root=1-5759e988-bd862e3fe1be46a994272793", AMAZON),
        ("Root=1-00000000-000000000000000000000000", None),
        ("Root=2-5759e988-bd862e3fe1be46a994272793", None),
        ("Root=1-5759e988-bd862e3fe1be46a99427279", None),
        ("Self=1-5759e988-bd862e3fe1be46a994272793", None),
        ("", None),
    ],
)
def test_amazon_trace_id_is_the_root(header: str, expected: str | None) -> None:
    assert trace.parse_amazon_trace_id(header) == expected


def test_trace_id_sources_have_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, amazon = f"00-{TRACE}-{PARENT}-01", "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert trace.trace_id(parent, amazon) == TRACE
    assert trace.trace_id("invalid", amazon) == AMAZON
    assert trace.trace_id("", "") is None
    set_span(monkeypatch, trace_id=0xABC, is_valid=True)
    assert trace.trace_id("", "") == "abc".zfill(32)
    assert trace.trace_id(parent, "") == TRACE


def test_invalid_span_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    set_span(monkeypatch, trace_id=0, is_valid=False)
    assert trace.current_trace_id() is None


def set_span(monkeypatch: pytest.MonkeyPatch, **span_context: Any) -> None:
    """Set a module with OpenTelemetry's API, as if the application had imported the package."""
    module: Any = ModuleType("opentelemetry.trace")
    context = SimpleNamespace(**span_context)
    module.get_current_span = lambda: SimpleNamespace(get_span_context=lambda: context)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", module)
