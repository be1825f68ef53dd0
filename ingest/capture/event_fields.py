"""Changes and their objects as fields of a log, without secrets. No Django.

Live capture and the import of earlier events share these functions.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

DEFAULT_HIDE = ("password", "token", "secret", "last_login")
# Signing in changes this field of the user. That is not a change by somebody.
LAST_LOGIN = "last_login"
# Rows of these apps describe changes themselves.
OWN_APPS = {"auditlog", "easyaudit"}

HIDDEN_SUMMARY = "Only hidden fields were changed."
MAX_ID_BYTES = 200
MAX_NAME_CHARACTERS = 1000
# A shorter text occurs in names by chance.
MIN_SECRET_CHARACTERS = 4
# A name that somebody typed is not longer than a user's name.
MAX_TYPED_CHARACTERS = 200

Changes = dict[str, list[Any]]

# The values of LogEntry.Action of django-auditlog.
AUDITLOG_TYPES = {0: "create", 1: "update", 2: "delete", 3: "access"}

# The values of CRUDEvent.TYPES of django-easy-audit. All others are changed relations.
EASYAUDIT_TYPES = {1: "create", 2: "update", 3: "delete"}
EASYAUDIT_ADDITIONS = {6, 7}
# Of LoginEvent.TYPES.
EASYAUDIT_LOGIN, EASYAUDIT_LOGOUT, EASYAUDIT_FAILED = 0, 1, 2


def is_hidden(name: str, hidden: Collection[str]) -> bool:
    """Return whether a field is hidden: `token` hides `token`, `api_token`, `token_hash` and `tokens`."""
    words = f"_{name.lower()}_"
    return any(f"_{each}_" in words or f"_{each}s_" in words for each in hidden)


def is_login_update(changes: Mapping[str, Any]) -> bool:
    """Return whether an update changed nothing but the time of the last login."""
    return changes.keys() == {LAST_LOGIN}


def object_fields(
    label: str, pk: str, name: str, values: Mapping[str, Any], hidden: Collection[str], *, is_secret: bool
) -> dict[str, Any]:
    """Return the fields that name an object.

    `values` are its values by field. A name in which a hidden value occurs is left out. A digest replaces a
    primary key that is secret, or that a message does not accept.
    """
    secrets = [
        value
        for field, value in values.items()
        if is_hidden(field, hidden) and isinstance(value, str) and len(value) >= MIN_SECRET_CHARACTERS
    ]
    fields = {"object_type": label, "object_id": _object_id(pk, is_secret or pk in secrets)}
    if name and not is_secret and not any(secret in name for secret in secrets):
        fields["object_name"] = " ".join(name.split())[:MAX_NAME_CHARACTERS]
    return fields


def failed_login(typed: object) -> dict[str, Any]:
    """Return the fields of a failed login. The name is the one that somebody typed."""
    name = {"user_name": str(typed)[:MAX_TYPED_CHARACTERS]} if typed else {}
    return {"type": "login", "sub_type": "failed", "user_id": 0, "submitter_id": None, **name}


def login_fields(kind: int, user_name: object) -> dict[str, Any]:
    """Return the fields of a LoginEvent of django-easy-audit."""
    if kind == EASYAUDIT_FAILED:
        return failed_login(user_name)
    name = {"type": "login", "sub_type": "success"} if kind == EASYAUDIT_LOGIN else {"type": "logout"}
    return {"sub_type": "", **name, **({"user_name": user_name} if user_name else {})}


def auditlog_relations(changes: Mapping[str, Any]) -> Changes:
    """Return `{relation: [old, new]}` of the many-to-many relations of a LogEntry."""
    return {
        name: [value["objects"], []] if value["operation"] == "delete" else [[], value["objects"]]
        for name, value in changes.items()
        if isinstance(value, dict) and value.get("type") == "m2m"
    }


def auditlog_event(kind: str, label: str, visible: Changes, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event of django-auditlog. `names` are those of `object_fields`."""
    # A missing object has no values. django-auditlog fills in the defaults of the fields.
    if kind == "create":
        visible = {name: [None, new] for name, (_, new) in visible.items()}
    elif kind == "delete":
        visible = {name: [old, None] for name, (old, _) in visible.items()}
    fields: dict[str, Any] = {"type": kind, "sub_type": label, **names}
    if kind != "access":
        fields["payload"] = {"changes": visible}
        if not visible:
            fields["summary"] = HIDDEN_SUMMARY
    return fields


def easyaudit_changes(
    event_type: int, values: Mapping[str, Any], changed_fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `{field: [old, new]}` of a CRUDEvent of django-easy-audit, with hidden fields.

    `values` are those of the object by field.
    """
    filled = {name: value for name, value in values.items() if value is not None and value != []}
    kind = EASYAUDIT_TYPES.get(event_type)
    if kind == "create":
        return {name: [None, value] for name, value in filled.items()}
    if kind == "delete":
        return {name: [value, None] for name, value in filled.items()}
    if kind is None:
        is_added = event_type in EASYAUDIT_ADDITIONS
        # The name is None if the relation has none on this side.
        return {
            name or "relation": [[], keys] if is_added else [keys, []]
            for name, keys in changed_fields.items()
        }
    return dict(changed_fields)


def easyaudit_event(
    kind: str, label: str, visible: Changes, names: Mapping[str, Any], *, has_changes: bool
) -> dict[str, Any]:
    """Return the fields of an event of django-easy-audit. `names` are those of `object_fields`."""
    fields = {"type": kind, "sub_type": label, **names, "payload": {"changes": visible}}
    if not visible:
        # django-easy-audit does not name a relation that was emptied.
        fields["summary"] = HIDDEN_SUMMARY if has_changes else "A relation was cleared."
    return fields


def _object_id(text: str, is_secret: bool) -> str:
    """Return an id as a message accepts it. A digest replaces a secret, long or unprintable one."""
    is_valid = (
        text.isprintable() and text == text.strip() and len(text.encode(errors="replace")) <= MAX_ID_BYTES
    )
    if is_valid and not is_secret:
        return text
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
