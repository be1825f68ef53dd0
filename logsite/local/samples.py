"""Believable sample logs: what the users of a small SaaS product do, from a fixed seed."""

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

# With the hours that their clocks are before UTC.
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
DEVICES = [
    ("Windows", "Chrome", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36"),
    ("Windows", "Edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Edg/142.0"),
    ("macOS", "Safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15"),
    ("Android", "Firefox", "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0"),
    ("iOS", "Safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148"),
    ("Linux", "Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
]
THINGS = ["invoice", "customer", "report", "project", "ticket"]
# What an attacker types into a form comes into a log like anything else.
HOSTILE = ["<script>alert('hello')</script>", "'; DROP TABLE logs; --", '=HYPERLINK("http://127.0.0.1/")']

Log = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Someone who uses the product: always from the same place, with the same device."""

    account: int
    user: int
    place: tuple[str, str, int]
    device: tuple[str, str, str]


def samples(count: int, until: datetime) -> Iterator[Log]:
    """Yield `count` logs of the 30 days before `until`, as fields of a message, in no order of time.

    The same count, or a smaller or larger one, gives the same logs: one more is added at the end, none
    changes. So an interrupted sending can be repeated, and nothing is stored twice. Another `until` gives
    logs with other ids: they never contradict those of an earlier one.
    """
    return islice(_endless(until), count)


def _endless(until: datetime) -> Iterator[Log]:
    # The same each time, and other ids for another moment: the same id with another time is a conflict.
    chance = random.Random(f"{SEED} {times.to_text(until)}")  # noqa: S311  no secret
    people = [_person(chance, number) for number in range(60)]
    while True:
        # Few accounts do much, many do little.
        person = people[min(int(chance.expovariate(1 / 12)), len(people) - 1)]
        story = chance.choices([_session, _failed_login, _cron_job, _error], weights=[12, 2, 1, 2])[0]
        moment = _night(chance, until) if story is _cron_job else _working_hour(chance, until, person)
        for log in story(chance, person):
            # Today's evening is still to come, and the first day's morning lies too far back.
            if until - timedelta(days=DAYS) <= moment < until:
                identity = uuid.UUID(int=chance.getrandbits(128), version=4).hex
                yield {"id": identity, "created_at": times.to_text(moment), **log}
            moment += timedelta(seconds=chance.expovariate(1 / 45), microseconds=chance.randrange(10**6))


def _person(chance: random.Random, number: int) -> Person:
    return Person(1 + number // 4, 10 + number, chance.choice(PLACES), chance.choice(DEVICES))


def _working_hour(chance: random.Random, until: datetime, person: Person) -> datetime:
    """Return a moment in the middle of a person's day, seldom on a weekend."""
    day = _day(chance, until)
    if day.weekday() >= 5 and chance.random() < 0.8:
        day -= timedelta(days=2)
    return day + timedelta(hours=chance.gauss(13, 3) - person.place[2])


def _night(chance: random.Random, until: datetime) -> datetime:
    return _day(chance, until) + timedelta(hours=3, seconds=chance.uniform(0, 300))


def _day(chance: random.Random, until: datetime) -> datetime:
    day = until - timedelta(days=chance.randrange(DAYS + 1))
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _log(person: Person, type_: str, sub_type: str, url: str, payload: Any = None) -> Log:
    city, country, _ = person.place
    platform, browser, agent = person.device
    return {
        "account_id": person.account,
        "user_id": person.user,
        "type": type_,
        "sub_type": sub_type,
        "url": url,
        "payload": payload,
        "submitter_id": person.user,
        "submitter_country": country,
        "submitter_city": city,
        "submitter_platform": platform,
        "submitter_browser": browser,
        "submitter_agent": agent,
    }


def _session(chance: random.Random, person: Person) -> Iterator[Log]:
    """Sign in, do some work, and mostly sign out."""
    yield _log(person, "login", chance.choice(["password", "password", "sso", "passkey"]), "/login")
    for _ in range(chance.randint(1, 9)):
        yield _deed(chance, person)
    if chance.random() < 0.6:
        yield _log(person, "logout", "button", "/logout")


def _deed(chance: random.Random, person: Person) -> Log:
    thing, number = chance.choice(THINGS), chance.randint(1, 9999)
    url = f"/{thing}s/{number}"
    match chance.choices(
        ["view", "update", "create", "delete", "export", "payment", "email"], [9, 5, 3, 1, 1, 2, 2]
    )[0]:
        case "update":
            changes = {"status": ["open", "paid"], "total": [round(chance.uniform(5, 900), 2), None]}
            return _log(person, "update", thing, url, {"id": number, "changes": changes})
        case "create":
            name = chance.choice(["Nordwind GmbH", "Café Zoë", "Kōbe Trading", *HOSTILE])
            return _log(person, "create", thing, f"/{thing}s", {"id": number, "name": name})
        case "delete":
            return _log(person, "delete", thing, url, {"id": number, "reason": "duplicate"})
        case "export":
            rows = [
                {"id": number + row, "total": row * 12.5, "note": thing}
                for row in range(chance.randint(5, 150))
            ]
            return _log(person, "export", "csv", f"/{thing}s/export.csv", {"rows": rows})
        case "payment":
            charge = {"amount": chance.randint(500, 90_000), "currency": "EUR", "captured": True}
            return _log(person, "payment", "card", f"/billing/charges/{number}", charge)
        case "email":
            return _log(
                person,
                "email",
                "sent",
                f"/mail/{number}",
                f"To: someone@example.com\nSubject: Your {thing} {number}",
            )
        case _:
            return _log(person, "view", thing, url)


def _failed_login(chance: random.Random, person: Person) -> Iterator[Log]:
    """Try a few times: nobody has signed in yet, so the user is 0."""
    for _ in range(chance.randint(1, 4)):
        attempt = {"username": chance.choice(["admin", "root", "info", *HOSTILE]), "reason": "wrong password"}
        yield {**_log(person, "login", "failed", "/login", attempt), "user_id": 0, "submitter_id": None}


def _cron_job(chance: random.Random, person: Person) -> Iterator[Log]:
    """Run something at night, for no account and by no one."""
    job = chance.choice(["send-reminders", "rotate-keys", "close-month"])
    done = {"job": job, "seconds": round(chance.uniform(0.2, 90), 3)}
    yield {"account_id": 0, "user_id": 0, "type": "cron", "sub_type": job, "url": "", "payload": done}


def _error(chance: random.Random, person: Person) -> Iterator[Log]:
    """Fail, with a stack trace."""
    trace = "".join(
        f'  File "app/views.py", line {chance.randint(1, 400)}, in handle\n'
        for _ in range(chance.randint(3, 40))
    )
    status = chance.choice(["500", "500", "502", "404"])
    text = f"Traceback (most recent call last):\n{trace}TimeoutError: the upstream did not answer"
    yield _log(person, "error", status, f"/api/v2/sync?page={chance.randint(1, 50)}", text)
