"""Digests for tests: an empty table, and a builder whose limits and clock a test sets."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

import pytest

from logs.digests import builder
from logs.digests.moments import to_moment
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem


def empty_digests_table() -> None:
    """Delete the table of digests and create it again."""
    DigestItem.delete_table()
    DigestItem.create_table()
    dynamodb.enable_ttl(DigestItem, DigestItem.expires_at.attr_name)
