"""The questions to both admins: the same logs by their addresses."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bench import corpus
from bench.corpus import Shape
from logs import times

ROWS = 100
EXPORTED = 10_000
ACCOUNT, TYPE = "7", "login"


@dataclass(frozen=True)
class Address:
    """An address relative to the list of logs. It is a GET, or with `data` a POST."""

    path: str
    data: dict[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """A question as an address of each admin.

    Unless `is_detail`, both list the same logs in the same order.
    """

    name: str
    stock: Address
    logsite: Address
    is_detail: bool = False


def questions(shape: Shape, last_page: str) -> list[Question]:
    """Return all questions.

    `last_page` is the address of Logsite's last page, which has a signed cursor.
    """
    middle = shape.logs // 2
    [log] = corpus.make_logs(shape, [middle])
    page = shape.logs // ROWS // 2
    day = _time(shape, middle).replace(hour=0, minute=0, second=0, microsecond=0)
    exported = min(shape.logs, EXPORTED)
    first = (shape.logs - exported) // 2
    file_range = (_time(shape, first), _time(shape, first + exported))
    keys = {"account_id": ACCOUNT, "type": TYPE}
    user = {"user_id": log["user_id"]}
    return [
        _question("first page", {}, {}),
        _question(
            "page in the middle", {"p": page + 1}, {"at": _text(_time(shape, shape.logs - 1 - page * ROWS))}
        ),
        Question("last page", _query({"p": shape.logs // ROWS}), Address(last_page)),
        _question("one account", {"account_id": ACCOUNT}, {"account_id": ACCOUNT}),
        _question("one type", {"type": TYPE}, {"type": TYPE}),
        _question("one account and one type", keys, keys),
        _question("one day", *_range(day, day + timedelta(days=1))),
        _question("one user", user, user),
        _search("rare text", corpus.RARE),
        _search("frequent text", corpus.FREQUENT),
        _question(
            "part of a user name",
            {"user_name__contains": corpus.PART_OF_NAME},
            {"user_name": corpus.PART_OF_NAME},
        ),
        _question(
            "one IP address", {"submitter_ip": corpus.RARE_ADDRESS}, {"submitter_ip": corpus.RARE_ADDRESS}
        ),
        Question("detail", Address(f"{log['id']}/change/"), Address(f"{log['id']}/change/"), is_detail=True),
        _export(exported, log["id"], *_range(*file_range)),
    ]


def _question(name: str, stock: dict[str, Any], logsite: dict[str, Any]) -> Question:
    return Question(name, _query(stock), _query(logsite))


def _search(name: str, text: str) -> Question:
    # Without quotes, Django's admin searches for each word on its own.
    return _question(name, {"q": f'"{text}"'}, {"q": text})


def _export(number: int, log_id: str, stock: dict[str, Any], logsite: dict[str, Any]) -> Question:
    """Return the export of a range. In the stock admin it is an action on all logs of the list."""
    action = {"action": "export_csv", "select_across": "1", "index": "0", "_selected_action": log_id}
    return Question(
        f"export of {number:,}",
        Address(_query(stock).path, action),
        Address(f"export/{_query({**logsite, 'format': 'csv'}).path}"),
    )


def _range(start: datetime, end: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a range of time as the parameters of both admins."""
    first, last = _text(start), _text(end)
    return {"created_at__gte": first, "created_at__lt": last}, {"from": first, "to": last}


def _query(parameters: dict[str, Any]) -> Address:
    return Address(f"?{urlencode(parameters)}")


def _time(shape: Shape, number: int) -> datetime:
    return corpus.START + number * shape.interval


def _text(moment: datetime) -> str:
    return times.to_text(moment)
