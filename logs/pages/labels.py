"""Names of ids from the project's own data: LOGS_LABELS."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.module_loading import import_string

from logs import conf
from logs.models import LogItem, object_key

MAX_IDS = 1_000
# field → the kind of its ids
KINDS = {"account_id": "account", "user_id": "user", "object": "object"}
MAX_LABEL = 200

logger = logging.getLogger(__name__)


def read_labels(kind: str, ids: Iterable[str]) -> dict[str, str]:
    """Return the project's label of each id that has one.

    `kind` is `account`, `user` or `object`. An object's id is `type:id`. An error is logged, and there are no
    labels then.
    """
    keys = sorted(set(filter(None, ids)))[:MAX_IDS]
    try:
        function: Any = conf.labels()
        if function is None or not keys:
            return {}
        if isinstance(function, str):
            function = import_string(function)
        labels = function(kind, keys)
        if not isinstance(labels, Mapping):
            raise TypeError(f"it must return a mapping, not {type(labels).__name__}")
        texts = {key: str(labels[key])[:MAX_LABEL].strip() for key in keys if labels.get(key)}
    except Exception:  # the project's code must not break a page
        logger.exception("LOGS_LABELS failed for kind %s", kind)
        return {}
    return {key: text for key, text in texts.items() if text}


def read_user_labels(items: Iterable[LogItem]) -> dict[str, str]:
    """Return the labels of the users of several logs, by id. A name of the sender needs none."""
    return read_labels("user", (item.user_id for item in items if not item.user_name))


def name_values(field: str, names: Mapping[str, str | None]) -> dict[str, str]:
    """Return the names of the values of a field, by value.

    `names` has the values, with the names that senders gave. The others have the project's label, if any.
    """
    sent = {value: name for value, name in names.items() if name}
    if field not in KINDS:
        return sent
    return {**read_labels(KINDS[field], (value for value in names if value not in sent)), **sent}


def read_row_labels(items: Sequence[LogItem]) -> dict[str, dict[str, str]]:
    """Return the labels of the ids of several logs, by kind. Ids with a name of the sender need none."""
    if conf.labels() is None:
        return {}
    objects = [object_key(item.object_type, item.object_id) or "" for item in items if not item.object_name]
    return {
        "account": read_labels("account", (item.account_id for item in items)),
        "user": read_user_labels(items),
        "object": read_labels("object", objects),
    }
