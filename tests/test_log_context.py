"""LogContextMiddleware: every log inside a request carries the fields of the request."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.utils.asyncio import async_unsafe
from django.utils.functional import SimpleLazyObject

from ingest import context, django, trace
from ingest.logging_handler import LogHandler
from ingest.testing import RecordingClient

LOG = {"type": "visit", "sub_type": ""}
ANN = SimpleNamespace(is_authenticated=True, pk=12, account_id=7, get_username=lambda: "ann")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> RecordingClient:
    recording_client = RecordingClient()
    monkeypatch.setattr(django, "client", lambda: recording_client)
    return recording_client


def run(view: Any, *, user: Any = None, **headers: str) -> HttpResponseBase:
    """Call a sync view inside the middleware. Return its response."""
    request = RequestFactory(headers=headers).get("/cart", {"page": "2"})
    if user is not None:
        request.user = user

    def get_response(request: HttpRequest) -> HttpResponseBase:
        response = view(request)
        return response if isinstance(response, HttpResponseBase) else HttpResponse()

    response = django.LogContextMiddleware(get_response)(request)
    assert isinstance(response, HttpResponseBase)
    assert context.current() is None
    return response


def test_enqueue_carries_the_request(recording: RecordingClient) -> None:
    headers = {"X-Request-ID": "r1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "User-Agent": "x"}
    run(lambda request: recording.enqueue(**LOG), user=ANN, **headers)
    [log] = recording.logs
    expected = {
        "account_id": 7,
        "user_id": 12,
        "user_name": "ann",
        "submitter_id": 12,
        "submitter_ip": "127.0.0.1",
        "submitter_agent": "x",
        "request_id": "r1",
        "trace_id": TRACE,
        "url": "/cart?page=2",
    }
    assert expected.items() <= log.items()


def test_explicit_fields_win(recording: RecordingClient) -> None:
    fields = {"url": "", "request_id": None, "submitter_ip": "203.0.113.7", "user_id": 12, "user_name": "Ann"}
    run(lambda request: recording.enqueue(**LOG, **fields), user=ANN)
    [log] = recording.logs
    assert fields.items() <= log.items()


def test_log_outside_a_request_has_no_context(recording: RecordingClient) -> None:
    run(lambda request: None, user=ANN)
    recording.enqueue(account_id=0, user_id=0, url="", **LOG)
    [log] = recording.logs
    assert log.keys() == {"id", "created_at", "account_id", "user_id", "url", "type", "sub_type"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [({}, "ann"), ({"user_id": "12"}, "ann"), ({"user_id": 13}, None), ({"user_id": 0}, None)],
)
def test_name_belongs_to_the_user_of_the_log(
    recording: RecordingClient, fields: dict[str, Any], name: str | None
) -> None:
    run(lambda request: recording.enqueue(**LOG, **fields), user=ANN)
    run(lambda request: django.log_request(request, type="visit", **fields), user=ANN)
    assert [log.get("user_name") for log in recording.logs] == [name, name]


def test_user_is_read_when_a_log_is_sent(recording: RecordingClient) -> None:
    reads: list[str] = []

    def read_user() -> Any:
        reads.append("read")
        return ANN

    run(lambda request: None, user=SimpleLazyObject(read_user))
    assert reads == []

    def sign_in(request: HttpRequest) -> None:
        recording.enqueue(**LOG)
        user: Any = ANN
        request.user = user
        recording.enqueue(**LOG)

    run(sign_in, user=SimpleNamespace(is_authenticated=False))
    assert [log["user_id"] for log in recording.logs] == [0, 12]


def test_middleware_works_without_authentication(recording: RecordingClient) -> None:
    run(lambda request: recording.enqueue(**LOG))
    assert (recording.logs[0]["account_id"], recording.logs[0]["user_id"]) == (0, 0)


def test_unreadable_user_costs_no_log(recording: RecordingClient, caplog: pytest.LogCaptureFixture) -> None:
    def read_user() -> Any:
        raise ConnectionError("the database is gone")

    def view(request: HttpRequest) -> None:
        recording.enqueue(**LOG)
        recording.enqueue(**LOG)

    run(view, user=SimpleLazyObject(read_user))
    assert [(log["user_id"], log["url"]) for log in recording.logs] == [(0, "/cart?page=2")] * 2
    assert caplog.text.count("logs of a request lack the user: ConnectionError") == 1


def test_view_that_raises_leaves_no_context(recording: RecordingClient) -> None:
    def view(request: HttpRequest) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(view)
    assert context.current() is None


def test_log_request_and_enqueue_share_one_request_id(recording: RecordingClient) -> None:
    def view(request: HttpRequest) -> None:
        django.log_request(request, type="visit")
        recording.enqueue(**LOG)
        recording.enqueue_many([LOG, LOG])

    run(view)
    assert len(recording.logs) == 4
    assert len({log["request_id"] for log in recording.logs}) == 1


def test_log_request_ignores_another_request(recording: RecordingClient) -> None:
    other = RequestFactory().get("/other")
    run(
        lambda request: django.log_request(other, type="visit"),
        user=ANN,
        traceparent=f"00-{TRACE}-{'1' * 16}-01",
    )
    [log] = recording.logs
    assert (log["url"], log["user_id"], log.get("trace_id")) == ("/other", 0, None)


def test_log_that_is_sent_again_stays_unchanged(recording: RecordingClient) -> None:
    recording.enqueue(account_id=1, user_id=2, url="/", **LOG)
    [log] = recording.logs

    def view(request: HttpRequest) -> None:
        recording.enqueue(**log)
        recording.enqueue_many([log])

    run(view, user=ANN)
    assert recording.logs == [log, log, log]


# Threads and tasks


def test_thread_pool_with_a_copied_context(recording: RecordingClient) -> None:
    def view(request: HttpRequest) -> None:
        recording.enqueue(**LOG)
        with ThreadPoolExecutor(4) as pool:
            for _ in range(8):
                pool.submit(contextvars.copy_context().run, partial(recording.enqueue, **LOG)).result()

    run(view, user=ANN)
    assert len(recording.logs) == 9
    assert len({log["request_id"] for log in recording.logs}) == 1
    assert {log["user_id"] for log in recording.logs} == {12}


def test_first_logs_of_parallel_threads_share_one_id(
    recording: RecordingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread would choose an id of its own if the first log did."""
    barrier = threading.Barrier(4)

    def parse_slowly(text: object) -> None:
        threading.Event().wait(0.02)

    monkeypatch.setattr(trace, "parse_request_id", parse_slowly)

    def work() -> None:
        barrier.wait(10)
        recording.enqueue(**LOG)

    def view(request: HttpRequest) -> None:
        with ThreadPoolExecutor(4) as pool:
            for each in [pool.submit(contextvars.copy_context().run, work) for _ in range(4)]:
                each.result()

    run(view)
    assert len(recording.logs) == 4
    assert len({log["request_id"] for log in recording.logs}) == 1


def test_concurrent_requests_never_mix(recording: RecordingClient) -> None:
    barrier = threading.Barrier(8)

    def view(request: HttpRequest) -> None:
        for _ in range(3):
            barrier.wait(10)
            recording.enqueue(payload=request.headers["X-Request-ID"], **LOG)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: run(view, **{"X-Request-ID": f"r{number}"}), range(8)))

    assert len(recording.logs) == 24
    assert all(log["request_id"] == log["payload"] for log in recording.logs)


def test_users_of_concurrent_requests_never_mix(recording: RecordingClient) -> None:
    """Both users are read from the database at the same time, when the first log needs them."""
    barrier = threading.Barrier(2)

    def run_as(number: int) -> None:
        def read_user() -> Any:
            barrier.wait(10)
            return SimpleNamespace(is_authenticated=True, pk=number, get_username=lambda: f"user {number}")

        run(lambda request: recording.enqueue(payload=number, **LOG), user=SimpleLazyObject(read_user))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_as, (1, 2)))

    users = sorted((log["payload"], log["user_id"], log.get("user_name")) for log in recording.logs)
    assert users == [(1, 1, "user 1"), (2, 2, "user 2")]


def test_async_view_has_one_new_request_id(recording: RecordingClient) -> None:
    """No proxy set an id. Every way to log in an async view has the same new one."""
    handler = LogHandler(recording, type="app")

    async def view(request: HttpRequest) -> HttpResponse:
        path = request.path
        enqueue = partial(recording.enqueue, payload=path, **LOG)
        enqueue()
        await asyncio.sleep(0)
        django.log_request(request, type="visit", payload=path)
        handler.handle(logging.makeLogRecord({"name": "shop", "msg": path}))
        await sync_to_async(enqueue)()
        await asyncio.to_thread(enqueue)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, contextvars.copy_context().run, enqueue)
        await asyncio.gather(*(asyncio.to_thread(enqueue) for _ in range(2)))
        return HttpResponse()

    async def request_both() -> None:
        middleware: Any = django.LogContextMiddleware(view)
        await asyncio.gather(*(middleware(RequestFactory().get(path)) for path in ("/a", "/b")))

    asyncio.run(request_both())
    assert len(recording.logs) == 16
    assert len({(log["url"], log["request_id"]) for log in recording.logs}) == 2
    assert len({log["request_id"] for log in recording.logs}) == 2


def test_concurrent_async_requests_never_mix(recording: RecordingClient) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        name = request.headers["X-Request-ID"]
        for _ in range(3):
            await asyncio.sleep(0)
            recording.enqueue(payload=name, **LOG)
            await sync_to_async(recording.enqueue)(payload=name, **LOG)
            await asyncio.to_thread(recording.enqueue, payload=name, **LOG)
        await asyncio.create_task(log_later(name))
        return HttpResponse()

    async def log_later(name: str) -> None:
        recording.enqueue(payload=name, **LOG)

    async def request_all() -> None:
        middleware: Any = django.LogContextMiddleware(view)
        requests = [RequestFactory(headers={"X-Request-ID": f"r{number}"}).get("/") for number in range(8)]
        await asyncio.gather(*map(middleware, requests))
        assert context.current() is None

    asyncio.run(request_all())
    assert len(recording.logs) == 80
    assert all(log["request_id"] == log["payload"] for log in recording.logs)


# Whole requests through Django's handlers


recorder = RecordingClient()


@async_unsafe("the session is in the database")
def read_the_session() -> Any:
    return ANN


def sync_view(request: HttpRequest) -> HttpResponse:
    recorder.enqueue(**LOG)
    return HttpResponse()


async def async_view(request: HttpRequest) -> HttpResponse:
    lazy: Any = SimpleLazyObject(read_the_session)
    request.user = lazy
    recorder.enqueue(**LOG)
    request._acached_user = ANN  # type: ignore[attr-defined]  # as Django's `auser` does
    recorder.enqueue(**LOG)
    return HttpResponse()


def stream_view(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[str]:
        for number in range(3):
            recorder.enqueue(payload=number, **LOG)
            yield f"{number}\n"

    recorder.enqueue(**LOG)
    return StreamingHttpResponse(rows())


async def async_stream_view(request: HttpRequest) -> StreamingHttpResponse:
    async def rows() -> AsyncIterator[str]:
        for number in range(3):
            await asyncio.sleep(0)
            recorder.enqueue(payload=number, **LOG)
            yield f"{number}\n"

    recorder.enqueue(**LOG)
    return StreamingHttpResponse(rows())


urlpatterns = [
    path("sync", sync_view),
    path("async", async_view),
    path("stream", stream_view),
    path("async-stream", async_stream_view),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a page that needs no template."""
    return HttpResponse(status=404)


SYNC_STREAM = pytest.mark.filterwarnings(
    "ignore:StreamingHttpResponse must consume synchronous iterators:Warning"
)
PROJECT = override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=["ingest.django.LogContextMiddleware"])


@pytest.fixture
def logs() -> Iterator[list[dict[str, Any]]]:
    """Set a project with the middleware. Return the logs of its views."""
    recorder.logs.clear()
    with PROJECT:
        yield recorder.logs


@SYNC_STREAM
@pytest.mark.parametrize(("url", "count"), [("/sync", 1), ("/async", 2), ("/stream", 4)])
@pytest.mark.parametrize("server", ["wsgi", "asgi"])
def test_every_kind_of_view_has_the_context(
    logs: list[dict[str, Any]], server: str, url: str, count: int
) -> None:
    request(server, url)
    assert len(logs) == count
    assert {(log["request_id"], log["url"]) for log in logs} == {("r1", url)}
    assert context.current() is None


def request(server: str, url: str) -> bytes:
    """Return the content of a response of the project."""
    headers = {"X-Request-ID": "r1"}
    if server == "wsgi":
        response = Client(headers=headers).get(url)
        return response.getvalue() if response.streaming else response.content

    async def get() -> bytes:
        response: Any = await AsyncClient().get(url, headers=headers)
        if not response.streaming:
            return bytes(response.content)
        return b"".join([chunk async for chunk in response])

    return asyncio.run(get())


@SYNC_STREAM
def test_stream_stays_complete(logs: list[dict[str, Any]]) -> None:
    assert request("wsgi", "/stream") == b"0\n1\n2\n"
    assert request("asgi", "/stream") == b"0\n1\n2\n"
    assert request("asgi", "/async-stream") == b"0\n1\n2\n"
    assert len(logs) == 12
    assert {log["request_id"] for log in logs} == {"r1"}


def test_file_response_is_left_alone() -> None:
    file: Any = open(__file__, "rb")  # noqa: PTH123, SIM115  the response closes it
    response = run(lambda request: FileResponse(file))
    assert isinstance(response, FileResponse)
    assert response.file_to_stream is file
    response.close()


def test_async_view_without_its_user_logs_no_one(
    logs: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    request("asgi", "/async")
    assert [log["user_id"] for log in logs] == [0, 12]
    assert caplog.text.count("must await request.auser() before it logs") == 1


def test_async_view_that_passes_its_user_gets_no_warning(
    recording: RecordingClient, caplog: pytest.LogCaptureFixture
) -> None:
    def read_user() -> Any:
        raise SynchronousOnlyOperation

    run(lambda request: recording.enqueue(user_id=5, **LOG), user=SimpleLazyObject(read_user))
    assert recording.logs[0]["user_id"] == 5
    assert caplog.text == ""


# LogHandler


@pytest.fixture
def handler(recording: RecordingClient) -> Iterator[LogHandler]:
    """Add a handler to the root logger."""
    handler = LogHandler(recording, level="DEBUG", type="app")
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


@pytest.mark.usefixtures("handler")
def test_log_handler_carries_the_request(recording: RecordingClient) -> None:
    logger = logging.getLogger("shop")

    def view(request: HttpRequest) -> None:
        logger.warning("one")
        logger.warning("two", extra={"account_id": 9, "user_id": 13, "url": "/mine"})

    run(view, user=ANN, **{"X-Request-ID": "r1"})
    first, second = recording.logs
    assert (first["account_id"], first["user_id"], first["url"]) == (7, 12, "/cart?page=2")
    assert (second["account_id"], second["user_id"], second["url"]) == (9, 13, "/mine")
    assert (first["user_name"], second.get("user_name")) == ("ann", None)
    assert {log["request_id"] for log in recording.logs} == {"r1"}


def test_defaults_of_a_handler_win(recording: RecordingClient) -> None:
    handler = LogHandler(recording, account_id="shop")
    run(lambda request: handler.handle(logging.makeLogRecord({"name": "shop"})), user=ANN)
    assert (recording.logs[0]["account_id"], recording.logs[0]["user_id"]) == ("shop", 12)


@pytest.mark.usefixtures("handler", "logs")
def test_not_found_has_the_context_of_its_request(recording: RecordingClient) -> None:
    """Django logs it when all middleware has returned."""
    request("wsgi", "/nowhere")
    [log] = [log for log in recording.logs if log["payload"]["logger"] == "django.request"]
    assert (log["request_id"], log["url"]) == ("r1", "/nowhere")


def test_strange_request_in_extra_is_no_context() -> None:
    class Proxy:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("working outside of request context")

    assert context.context_of(Proxy()) is None
    assert context.context_of(SimpleNamespace(log_context=7)) is None
    assert context.context_of(None) is None


@pytest.mark.usefixtures("handler")
def test_sql_logs_of_reading_the_user_do_not_recurse(
    recording: RecordingClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "django.db.backends")

    def read_user() -> Any:
        logging.getLogger("django.db.backends").debug("SELECT … FROM auth_user")
        return ANN

    run(lambda request: recording.enqueue(**LOG), user=SimpleLazyObject(read_user), **{"X-Request-ID": "r1"})
    nested, log = recording.logs
    assert (nested["type"], nested["user_id"], nested["request_id"]) == ("app", 0, "r1")
    assert (log["type"], log["user_id"], log["request_id"]) == ("visit", 12, "r1")
