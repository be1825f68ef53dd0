"""The fields of a log that columns probably have, by the names of the columns."""

from collections.abc import Iterable

# field → names of columns, the likeliest first. They are compared without letter case, `_`, `-` and spaces.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("uuid", "guid", "log_id"),
    "account_id": ("account", "tenant_id", "customer_id", "organization_id", "organisation_id", "company_id"),
    "user_id": ("user", "actor_id", "uid", "member_id", "created_by_id", "created_by"),
    "type": ("event_type", "log_type", "event", "action", "kind", "category"),
    "sub_type": ("event_sub_type", "sub_event", "sub_action", "sub_category"),
    "url": ("path", "uri", "request_url", "request_path", "full_path"),
    "payload": ("data", "details", "detail", "body", "context", "metadata", "meta", "message"),
    "created_at": (
        *("created", "timestamp", "created_on", "date_created", "logged_at", "event_time", "occurred_at"),
        *("datetime", "action_time", "date", "time", "ts"),
    ),
    "submitter_country": ("country",),
    "submitter_city": ("city",),
    "submitter_platform": ("platform", "os"),
    "submitter_browser": ("browser",),
    "submitter_agent": ("user_agent", "agent"),
    "submitter_ip": ("ip", "ip_address", "remote_addr", "remote_ip", "client_ip"),
    "user_name": ("username", "user_email", "actor_email"),
    "account_name": ("account_title", "customer_name", "tenant_name", "company_name"),
    "request_id": ("correlation_id",),
    "object_type": ("model", "entity_type", "target_type", "resource_type"),
    "object_id": ("object_pk", "entity_id", "target_id", "resource_id"),
    "object_name": ("object_repr", "entity_name", "target_name", "resource_name"),
    "summary": ("description", "title", "text"),
}


def guess(columns: Iterable[str], fields: Iterable[str], *, has_synonyms: bool) -> dict[str, str]:
    """Return the probable columns by field.

    A column is used once. A field with its name comes before synonyms.
    """
    names = {_normalize(column): column for column in reversed(list(columns))}
    fields = list(fields)
    mapping = {field: names.pop(_normalize(field)) for field in fields if _normalize(field) in names}
    for field in fields if has_synonyms else ():
        for synonym in SYNONYMS.get(field, ()):
            if field not in mapping and (column := names.pop(_normalize(synonym), None)):
                mapping[field] = column
    return mapping


def _normalize(name: str) -> str:
    return "".join(character for character in name.casefold() if character not in "_- ")
