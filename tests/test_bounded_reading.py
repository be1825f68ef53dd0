"""Reading logs that decompress to millions of JSON values takes bounded memory."""

import pytest

from logs.filters import LogFilter
from logs.plan import make_plan
from logs.reader import read_page
from logs.reading.budget import Budget
from logs.storage import parts
from logs.storage.json_nodes import count_nodes
from tests.bombs import SHAPES, stored_bomb
from tests.items import make_item, store
from tests.limited_process import LIMIT_MIB, run

pytestmark = pytest.mark.usefixtures("logs_table")

PAGES = """
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from django.test import Client
from tests.conftest import make_user, client_of
client = client_of(make_user("reader", is_staff=True, permissions={{"logs.view_log"}}))
result = {{}}
for path in {paths!r}:
    response = client.get(path, headers={{"accept-encoding": "gzip"}})
    body = b"".join(response) if response.streaming else response.content
    result[path] = [response.status_code, len(body)]
    del response, body
"""


def put(shape: str, field: str = "payload", number: int = 1) -> str:
    """Store a bomb as the writer does; return its id."""
    item = stored_bomb(shape, number, field=field)
    item.document = parts.save(item)
    item.save()
    return item.id


@pytest.mark.parametrize(
    ("shape", "field"), [*((shape, "payload") for shape in SHAPES), ("nested", "extra"), ("strings", "extra")]
)
def test_pages_of_a_bomb_fit_in_memory(shape: str, field: str) -> None:
    log_id = put(shape, field)

    paths = [f"/admin/logs/log/{log_id}/{page}/" for page in ("change", "timelines", "json")]
    paths.append(f"/api/logs/{log_id}")

    responses, peak = run(PAGES.format(paths=paths))

    assert len(responses) == 4
    for path, (status, size) in responses.items():
        assert status == 200, path
        assert size < 6_000_000, path
    assert peak < LIMIT_MIB


def test_search_among_bombs_fits_in_memory() -> None:
    for number in range(17):
        put("lists", number=number)

    responses, peak = run(PAGES.format(paths=["/admin/logs/log/?q=needle"]))

    assert [status for status, _ in responses.values()] == [200]
    assert peak < LIMIT_MIB


def test_search_stops_within_a_chunk_at_its_budget() -> None:
    for number in range(3):
        put("lists", number=number)
    store([make_item(9, payload="a needle", payload_size=8)])
    plan = make_plan(LogFilter(q="needle"))
    size = len(SHAPES["lists"])

    page = read_page(plan, None, 10, Budget(payload_bytes=size))

    assert [item.id for item in page.items] == [make_item(9).id]
    assert not page.complete
    assert page.cost.payloads == 2
    assert page.cost.payload_bytes == size + 8


def test_search_counts_decompressed_characters() -> None:
    put("lists")

    page = read_page(make_plan(LogFilter(q="needle")), None, 10, Budget())

    assert page.cost.payload_bytes == len(SHAPES["lists"])


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("1", 1),
        ("[]", 2),
        ("[1,2]", 3),
        ('{"a":{"b":[]}}', 4),
        ('"[,{"', 1),
        (r'["\",[", "a"]', 3),
        (r'"\\",', 2),
        ('"unclosed [,', 3),
    ],
)
def test_count_nodes_ignores_strings(text: str, nodes: int) -> None:
    assert count_nodes(text) == nodes
