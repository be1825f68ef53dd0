"""Logs with payloads of several languages, from fixed seeds, for the search by digests.

Most payloads have under 500 bytes, few have 5 KB. The English words are those of Python's own documentation.
"""

import json
import random
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pydoc_data.topics import topics
from typing import Any

from logs import times

START = datetime(2025, 1, 1, tzinfo=UTC)
# Texts in PLANTED payloads each, and in no other one.
RARE, CYRILLIC = "INV-2024-0048211", "Неуспешно плащане 73190"
RARE_ADDRESS = "198.51.100.77"
PLANTED = 20
# A text in about every tenth payload.
FREQUENT = "payment declined"
USERS = 5_000
# The name of one user, and a part of it. About one log in 5,000 has it.
NAME, PART_OF_NAME = "Ann Lindqvist", "nn Lindqvi"

WORDS = re.findall(r"[A-Za-z]{3,12}", " ".join(text for _, text in sorted(topics.items())))
BULGARIAN = re.findall(
    r"\w+",
    "плащане фактура клиент отказ грешка сървър промяна влизане изход потребител парола адрес София Пловдив "
    "Варна улица доставка поръчка сума лева банка карта успешно договор срок дата проект задача отчет име",
)
GERMAN = [
    "Rechnung",
    "Straße",
    "Größe",
    "Fehler",
    "Überweisung",
    "Müller",
    "gelöscht",
    "geändert",
    "Passwort",
]
FIRST_NAMES = ["Ann", "Boris", "Zoë", "José", "Lena", "Chloé", "Raj", "Мария", "Георги", "Jürgen", "太郎"]
THINGS = ["invoice", "customer", "report", "project", "ticket", "order", "shipment"]
TYPES = ["login", "logout", "create", "update", "delete", "view", "export", "payment", "error", "email"]
RESULTS = [FREQUENT, "paid", "sent", "open", "archived", "draft", "refunded", "not found", "created"]
FIELDS = ["status", "owner", "note", "amount", "address"]
DEVICES = [("Windows", "Chrome"), ("macOS", "Safari"), ("Android", "Firefox"), ("iOS", "Safari")]

HEAVY_SHARE, HEAVY_BYTES = 0.02, 100_000
# Of all others, so that the mean is 5 KB.
HEAVY_MEAN = 2_750


@dataclass(frozen=True)
class Shape:
    """How many logs there are, how far apart, and whether their payloads are long."""

    logs: int
    interval: timedelta
    is_heavy: bool = False


def make_shape(name: str, logs: int) -> Shape:
    """Return one of the shapes usual, heavy, hour and sparse. The last one has a log a day for a year."""
    if name == "hour":
        return Shape(logs, timedelta(hours=1) / logs)
    if name == "sparse":
        return Shape(365, timedelta(days=1))
    return Shape(logs, timedelta(seconds=30), is_heavy=name == "heavy")


def make_logs(shape: Shape, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Yield the fields of messages with these numbers, which are in order of time."""
    step = shape.logs // PLANTED
    for number in numbers:
        log = _log(number, shape)
        # The rest of the division is behind the last one.
        place = number % step if number < PLANTED * step else None
        if place == step // 4:
            log["payload"] = {**(log["payload"] or {}), "note": f"see {RARE}, please"}
        elif place == step // 2:
            log["payload"] = {**(log["payload"] or {}), "note": f"see {CYRILLIC}, please"}
        elif place == 3 * step // 4:
            log["submitter_ip"] = RARE_ADDRESS
        yield log


def payload_text(log: dict[str, Any]) -> str | None:
    """Return the payload of a log as JSON."""
    return None if log["payload"] is None else json.dumps(log["payload"], ensure_ascii=False)


def _log(number: int, shape: Shape) -> dict[str, Any]:
    rng = random.Random(number)  # noqa: S311  sample data is no secret
    account, user = min(int(rng.expovariate(1 / 60)), 499), rng.randrange(USERS)
    thing, device = rng.choice(THINGS), DEVICES[user % len(DEVICES)]
    first, last = FIRST_NAMES[user % len(FIRST_NAMES)], WORDS[user * 7].title()
    return {
        "id": uuid.UUID(int=rng.getrandbits(128), version=4).hex,
        "account_id": account,
        "user_id": user,
        "type": rng.choice(TYPES),
        "sub_type": f"s{rng.randrange(5)}",
        "url": f"/accounts/{account}/{thing}s/{rng.randrange(10**6)}",
        "payload": _heavy_payload(rng) if shape.is_heavy else _payload(rng, thing),
        "user_name": f"{first} {last}" if user else NAME,
        "submitter_ip": f"10.{user >> 8}.{user & 255}.{rng.randrange(4)}",
        "submitter_country": "Bulgaria",
        "submitter_city": "Sofia",
        "submitter_platform": device[0],
        "submitter_browser": device[1],
        "request_id": f"{rng.getrandbits(64):016x}",
        "created_at": times.to_text(START + number * shape.interval),
    }


def _payload(rng: random.Random, thing: str) -> dict[str, Any] | None:
    share = rng.random()
    if share < 0.12:
        return None
    payload: dict[str, Any] = {
        "trace": str(uuid.UUID(int=rng.getrandbits(128))),
        "result": rng.choice(RESULTS),
        "ms": rng.randrange(3, 900),
    }
    if share < 0.45:
        return payload
    code = f"{thing[:3].upper()}-{2020 + rng.randrange(6)}-{rng.randrange(10**7):07}"
    payload["object"] = {"kind": thing, "number": code}
    if share < 0.83:
        payload["changes"] = {
            rng.choice(FIELDS): [_sentence(rng, rng.randrange(1, 6)), _sentence(rng, rng.randrange(1, 6))]
            for _ in range(rng.randrange(1, 4))
        }
    elif share < 0.965:
        payload["message"] = _sentence(rng, rng.randrange(40, 180))
        payload["items"] = [
            {
                "sku": f"{rng.getrandbits(32):08x}",
                "name": _sentence(rng, 2),
                "price": rng.randrange(10_000) / 100,
            }
            for _ in range(rng.randrange(1, 8))
        ]
    else:
        payload["error"] = f"{rng.choice(['ValueError', 'TimeoutError'])}: {_sentence(rng, 8)}"
        payload["traceback"] = "".join(
            f'  File "/srv/app/{rng.choice(WORDS)}.py", line {rng.randrange(900)}, in {rng.choice(WORDS)}\n'
            f"    {_sentence(rng, 6)}\n"
            for _ in range(rng.randrange(18, 42))
        )
    return payload


def _heavy_payload(rng: random.Random) -> dict[str, Any]:
    size = HEAVY_BYTES if rng.random() < HEAVY_SHARE else int(rng.expovariate(1 / HEAVY_MEAN))
    lines = []
    while size > 0:
        lines.append(_sentence(rng, 40) + f" {rng.getrandbits(64):016x}")
        size -= len(lines[-1].encode())
    return {"result": rng.choice(RESULTS), "lines": lines}


def _sentence(rng: random.Random, words: int) -> str:
    share = rng.random()
    if share < 0.7:
        start = rng.randrange(len(WORDS) - words)
        return " ".join(WORDS[start : start + words])
    return " ".join(rng.choices(BULGARIAN if share < 0.88 else GERMAN, k=words))
