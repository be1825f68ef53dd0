"""Realistic sample logs of a small SaaS product, generated from a fixed seed."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from logs import times

SEED = 20_260_101
DAYS = 30

# City, country, and the offset from UTC in hours.
PLACES = [
    ("Sofia", "Bulgaria", 2),
    ("Berlin", "Germany", 1),
    ("Lyon", "France", 1),
    ("Austin", "United States", -6),
    ("São Paulo", "Brazil", -3),
    ("Ōsaka", "Japan", 9),
    ("Nairobi", "Kenya", 3),
    ("Leeds", "United Kingdom", 0),
]
# Platform, browser and user agent.
DEVICES = [
    ("Windows", "Chrome", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36"),
    ("Windows", "Edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Edg/142.0"),
    ("macOS", "Safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15"),
    ("Android", "Firefox", "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0"),
    ("iOS", "Safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148"),
    ("Linux", "Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
]
NAMES = [
    *("Ann Lee", "Борис Иванов", "Zoë Müller", "José Álvarez", "山田 太郎", "Amara Okafor", "Lena Novak"),
    *("Tom O’Neill", "Chloé Martin", "Raj Patel", "Sara Lindqvist", "Omar Haddad"),
]
COMPANIES = [
    *(
        "Acme, Inc.",
        "Nordwind GmbH",
        "Café Zoë",
        "Kōbe Trading",
        "Balkan Freight",
        "Lyon Textiles",
        "Austin Labs",
    ),
    *("Nairobi Solar", "Leeds & Sons", "São Paulo Foods", "Sofia Soft", "Berlin Bikes", "Ōsaka Optics"),
    *("Tallinn Data", "Porto Cork"),
]
OBJECTS = ["invoice", "customer", "report", "project", "ticket"]
# An account has this many objects of a kind, so each has a history of several logs.
OBJECTS_PER_KIND = 12
STATUSES = ["draft", "open", "sent", "paid", "archived"]
# Attackers type such values into forms, and logs hold them like any other value.
HOSTILE_TEXTS = [
    "<script>alert('hello')</script>",
    "'; DROP TABLE logs; --",
    '=HYPERLINK("http://127.0.0.1/")',
]

Log = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """A user of the product, with a fixed name, address, place and device."""

    account: int
    account_name: str
    user: int
    name: str
    address: str
    place: tuple[str, str, int]
    device: tuple[str, str, str]


def samples(count: int, until: datetime) -> Iterator[Log]:
    """Yield `count` logs of the 30 days before `until`, as fields of a message.

    They are not in time order. The sequence depends on `until` alone: a larger `count` only adds logs at
    its end. Sending it again is therefore idempotent. Another `until` yields other ids, so it never causes
    an id conflict.
    """
    return islice(_endless_logs(until), count)


def _endless_logs(until: datetime) -> Iterator[Log]:
    # `until` is part of the seed: the same id with another time would be an id conflict.
    rng = random.Random(f"{SEED} {times.to_text(until)}")  # noqa: S311  not a secret
    people = [_person(rng, number) for number in range(60)]
    while True:
        # Few accounts are very active, many are not.
        person = people[min(int(rng.expovariate(1 / 12)), len(people) - 1)]
        scenario = rng.choices([_session, _failed_login, _cron_job, _error], weights=[12, 2, 1, 2])[0]
        moment = _night(rng, until) if scenario is _cron_job else _working_hour(rng, until, person)
        request_id = None
        for log in scenario(rng, person):
            # The logs of one request are milliseconds apart.
            is_same_request = request_id is not None and log.get("request_id") == request_id
            moment += timedelta(
                seconds=0 if is_same_request else rng.expovariate(1 / 45),
                microseconds=rng.randrange(10**5 if is_same_request else 10**6),
            )
            # A time of the last day may be in the future, one of the first day more than 30 days ago.
            if until - timedelta(days=DAYS) <= moment < until:
                identity = uuid.UUID(int=rng.getrandbits(128), version=4).hex
                yield {"id": identity, "created_at": times.to_text(moment), **log}
            request_id = log.get("request_id")


def _person(rng: random.Random, number: int) -> Person:
    account = 1 + number // 4
    # Addresses for documentation: https://www.rfc-editor.org/rfc/rfc5737 and rfc3849
    address = f"2001:db8:{account:x}::{number:x}" if number % 5 == 0 else f"203.0.113.{10 + number}"
    return Person(
        account,
        COMPANIES[(account - 1) % len(COMPANIES)],
        10 + number,
        rng.choice(NAMES),
        address,
        rng.choice(PLACES),
        rng.choice(DEVICES),
    )


def _working_hour(rng: random.Random, until: datetime, person: Person) -> datetime:
    """Return a time around noon at the person's place, rarely on a weekend."""
    day = _day(rng, until)
    if day.weekday() >= 5 and rng.random() < 0.8:
        day -= timedelta(days=2)
    return day + timedelta(hours=rng.gauss(13, 3) - person.place[2])


def _night(rng: random.Random, until: datetime) -> datetime:
    return _day(rng, until) + timedelta(hours=3, seconds=rng.uniform(0, 300))


def _day(rng: random.Random, until: datetime) -> datetime:
    day = until - timedelta(days=rng.randrange(DAYS + 1))
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _log(person: Person, type_: str, sub_type: str, url: str, payload: Any = None, **fields: Any) -> Log:
    city, country, _ = person.place
    platform, browser, agent = person.device
    return {
        "account_id": person.account,
        "account_name": person.account_name,
        "user_id": person.user,
        "user_name": person.name,
        "type": type_,
        "sub_type": sub_type,
        "url": url,
        "payload": payload,
        "submitter_id": person.user,
        "submitter_ip": person.address,
        "submitter_country": country,
        "submitter_city": city,
        "submitter_platform": platform,
        "submitter_browser": browser,
        "submitter_agent": agent,
        **fields,
    }


def _request(rng: random.Random) -> Log:
    """Return the fields that all logs of one request share."""
    return {
        "request_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "trace_id": f"{rng.getrandbits(128) | 1:032x}",
    }


def _session(rng: random.Random, person: Person) -> Iterator[Log]:
    """Yield a login, a few actions, and usually a logout."""
    method = rng.choice(["password", "password", "sso", "passkey"])
    yield _log(person, "login", method, "/login", **_request(rng))
    for _ in range(rng.randint(1, 9)):
        yield from _action(rng, person)
    if rng.random() < 0.6:
        yield _log(person, "logout", "button", "/logout", **_request(rng))


def _action(rng: random.Random, person: Person) -> Iterator[Log]:
    """Yield the logs of one request. Most are about an object of the account."""
    kind, number = rng.choice(OBJECTS), 100 * person.account + rng.randint(1, OBJECTS_PER_KIND)
    url = f"/{kind}s/{number}"
    subject = {"object_type": kind, "object_id": number, "object_name": f"{kind.capitalize()} {number}"}
    fields = {**_request(rng), **subject}
    match rng.choices(
        ["view", "update", "create", "delete", "export", "payment", "email"], [9, 5, 3, 1, 1, 2, 2]
    )[0]:
        case "update":
            step = rng.randrange(len(STATUSES) - 1)
            changes = {"status": STATUSES[step : step + 2], "total": [round(rng.uniform(5, 900), 2), None]}
            yield _log(person, "update", kind, url, {"id": number, "changes": changes}, **fields)
        case "create":
            name = rng.choice(["Nordwind GmbH", "Café Zoë", "Kōbe Trading", *HOSTILE_TEXTS])
            fields["object_name"] = name
            yield _log(person, "create", kind, f"/{kind}s", {"id": number, "name": name}, **fields)
        case "delete":
            yield _log(person, "delete", kind, url, {"id": number, "reason": "duplicate"}, **fields)
        case "export":
            rows = [
                {"id": number + row, "total": row * 12.5, "note": kind} for row in range(rng.randint(5, 150))
            ]
            summary = f"{len(rows)} {kind}s"
            request = {**_request(rng), "summary": summary}
            yield _log(person, "export", "csv", f"/{kind}s/export.csv", {"rows": rows}, **request)
        case "payment":
            # One request pays the object, changes it and sends a receipt.
            charge = {"amount": rng.randint(500, 90_000), "currency": "EUR", "captured": True}
            yield _log(person, "payment", "card", f"/billing/charges/{number}", charge, **fields)
            paid = {"id": number, "changes": {"status": ["sent", "paid"]}}
            yield _log(person, "update", kind, url, paid, **fields)
            yield _email(person, kind, number, "receipt", fields)
        case "email":
            yield _email(person, kind, number, kind, fields)
        case _:
            yield _log(person, "view", kind, url, **fields)


def _email(person: Person, kind: str, number: int, subject: str, fields: Log) -> Log:
    text = f"To: someone@example.com\nSubject: Your {subject} {number}"
    return _log(person, "email", "sent", f"/mail/{number}", text, **fields)


def _failed_login(rng: random.Random, person: Person) -> Iterator[Log]:
    """Yield a few failed logins. Nobody is signed in yet, so `user_id` is 0."""
    for _ in range(rng.randint(1, 4)):
        attempt = {
            "username": rng.choice(["admin", "root", "info", *HOSTILE_TEXTS]),
            "reason": "wrong password",
        }
        no_one = {"user_id": 0, "user_name": None, "submitter_id": None}
        yield _log(person, "login", "failed", "/login", attempt, **_request(rng), **no_one)


def _cron_job(rng: random.Random, person: Person) -> Iterator[Log]:
    """Yield the run of a nightly job, for no account and no user."""
    job = rng.choice(["send-reminders", "rotate-keys", "close-month"])
    result = {"job": job, "seconds": round(rng.uniform(0.2, 90), 3)}
    yield {"account_id": 0, "user_id": 0, "type": "cron", "sub_type": job, "url": "", "payload": result}


def _error(rng: random.Random, person: Person) -> Iterator[Log]:
    """Yield an error with a stack trace."""
    trace = "".join(
        f'  File "app/views.py", line {rng.randint(1, 400)}, in handle\n' for _ in range(rng.randint(3, 40))
    )
    status = rng.choice(["500", "500", "502", "404"])
    text = f"Traceback (most recent call last):\n{trace}TimeoutError: the upstream did not answer"
    yield _log(person, "error", status, f"/api/v2/sync?page={rng.randint(1, 50)}", text, **_request(rng))
