"""The throttle of password checks per user name and per client address, in DynamoDB.

Each check is counted as a failure before the password is hashed, and given back if the password is right.
Parallel attempts therefore cannot exceed the limit. After the limit the delay doubles with each failure.
"""

import hashlib
import math
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from logsite.accounts.store import AttemptsItem, conditional_write

FIRST_DELAY_SECONDS = 60
# Failures are forgotten after this many of the longest delays without an attempt. Waiting for that allows
# fewer attempts an hour than the longest delay itself.
FORGOTTEN_AFTER_DELAYS = 4
# A network of this size belongs to one subscriber: https://www.rfc-editor.org/rfc/rfc6177
IPV6_PREFIX = 64
# A name or address whose failures are being forgotten may change under a reservation.
MAX_TRIES = 3


class TooManyAttempts(Exception):
    """Too many passwords were wrong. `seconds` is the time to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords. Retry after {seconds} s.")
        self.seconds = seconds


class _Refused(Exception):
    """The condition of a write is not fulfilled."""


@dataclass(frozen=True)
class Attempt:
    """A password check that is counted as a failure until it succeeds."""

    user_key: str
    address_key: str | None

    def succeed(self) -> None:
        """Forget the user's failures, and give the address its reservation back.

        The failures of the address stay, or an attacker could clear them with an account of their own. Costs
        one DeleteItem and one UpdateItem.
        """
        AttemptsItem(self.user_key).delete()
        if self.address_key:
            _give_back(self.address_key)


def reserve(username: str, address: str) -> Attempt:
    """Count a password check as a failure. Raise TooManyAttempts before any hashing.

    The user need not exist. Without an address only the user name counts. Costs two UpdateItem.
    """
    address_key = _address_key(address)
    if address_key:
        _reserve(address_key, settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS)
    user_key = _user_key(username)
    try:
        _reserve(user_key, settings.LOGSITE_SIGN_IN_FAILURES)
    except TooManyAttempts:
        # No password was checked for this address.
        if address_key:
            _give_back(address_key)
        raise
    return Attempt(user_key, address_key)


def unlock_user(username: str) -> None:
    """Forget the failures of a user name. Costs one DeleteItem."""
    AttemptsItem(_user_key(username)).delete()


def unlock_address(address: str) -> None:
    """Forget the failures of a client address. Costs one DeleteItem."""
    if key := _address_key(address):
        AttemptsItem(key).delete()


def delay_seconds(failures: int, limit: int) -> int:
    """Return the seconds between the last of these failures and the next attempt."""
    if failures < limit:
        return 0
    doublings = min(failures - limit, 32)  # a limit for the arithmetic
    return int(min(FIRST_DELAY_SECONDS * 2**doublings, settings.LOGSITE_SIGN_IN_MAX_DELAY_SECONDS))


def _reserve(key: str, limit: int) -> None:
    """Add a failure unless the delay after the last one has not passed, in one UpdateItem."""
    for _ in range(MAX_TRIES):
        now = int(_now())
        actions: list[Action] = [
            AttemptsItem.failures.add(1),
            AttemptsItem.last_at.set(now),
            AttemptsItem.expires_at.set(_time(now + _memory_seconds())),
        ]
        try:
            with conditional_write(_Refused()):
                AttemptsItem(key).update(actions, _is_allowed(limit, now))
            return
        except _Refused:
            if seconds := _seconds_left(key, limit, now):
                raise TooManyAttempts(seconds) from None
    raise TooManyAttempts(1)


def _is_allowed(limit: int, now: int) -> Condition:
    """Return the condition that an attempt is allowed now.

    It compares the failures with each step of the growing delay, so the item need not be read before.
    """
    condition: Condition = AttemptsItem.failures < limit
    failures = limit
    while (delay := delay_seconds(failures, limit)) < delay_seconds(failures + 1, limit):
        condition |= (AttemptsItem.failures == failures) & (AttemptsItem.last_at <= now - delay)
        failures += 1
    condition |= (AttemptsItem.failures >= failures) & (AttemptsItem.last_at <= now - delay)
    is_new: Condition = AttemptsItem.failures.does_not_exist()
    is_recent: Condition = AttemptsItem.expires_at > _time(now)
    is_free: Condition = is_new | (is_recent & condition)
    return is_free


def _seconds_left(key: str, limit: int, now: int) -> int:
    """Return the seconds until an attempt is allowed. Delete failures that are to be forgotten."""
    try:
        item = AttemptsItem.get(key, consistent_read=True)
    except AttemptsItem.DoesNotExist:
        return 0
    # TTL deletes an expired item within days.
    if item.expires_at <= _time(now):
        try:
            with conditional_write(_Refused()):
                item.delete(AttemptsItem.expires_at <= _time(now))
        except _Refused:
            pass  # another attempt has begun to count again
        return 0
    return max(0, math.ceil(item.last_at + delay_seconds(int(item.failures), limit) - now))


def _give_back(key: str) -> None:
    try:
        with conditional_write(_Refused()):
            AttemptsItem(key).update([AttemptsItem.failures.add(-1)], AttemptsItem.failures > 0)
    except _Refused:
        pass  # the failures were forgotten meanwhile


def _memory_seconds() -> int:
    return int(settings.LOGSITE_SIGN_IN_MAX_DELAY_SECONDS * FORGOTTEN_AFTER_DELAYS)


def _user_key(username: str) -> str:
    # As Django normalizes names.
    return _key("user", unicodedata.normalize("NFKC", username))


def _address_key(address: str) -> str | None:
    """Return the key of an address, without its port. An IPv6 address stands for its network."""
    if not address:
        return None
    ip = _parse(address.strip("[]")) or _parse(address.rpartition(":")[0].strip("[]"))
    if ip is None:
        return _key("address", address)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return _key("address", str(ip_network((int(ip), IPV6_PREFIX), strict=False)))
        ip = ip.ipv4_mapped
    return _key("address", str(ip))


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None


def _key(kind: str, text: str) -> str:
    """Return a key of bounded length, which a name of any length and any characters has."""
    return f"sign-in#{kind}#{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _now() -> float:
    return time.time()
