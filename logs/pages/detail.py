"""The page of one log: heading, fields, payload, and the place of its timelines."""

from datetime import UTC, datetime
from functools import cached_property

from django.utils.safestring import SafeString

from logs import times
from logs.models import LogItem
from logs.pages.display import NO_ONE, Time, display_time, shorten
from logs.pages.durations import display_distance
from logs.pages.field_list import field_list
from logs.pages.links import Link, choice_links
from logs.pages.log_address import LogAddress
from logs.pages.log_fields import LogFields, with_name
from logs.pages.payload import ALL_BYTES, FIRST_BYTES, FORMS, Payload
from logs.pages.timelines import Timelines
from logs.reading.budget import Cost
from logs.storage import documents

# What the page shows of the extra fields, in bytes and in bytes of the response.
MAX_EXTRA_BYTES, MAX_EXTRA_SIZE = 100_000, 600_000
# Characters of a value in the heading and in the line below it.
MAX_NAME, MAX_SUBJECT = 60, 120


class Detail:
    """One log with every field. `cost` is that of reading it."""

    def __init__(self, item: LogItem, address: LogAddress, cost: Cost) -> None:
        self.item = item
        self.cost = cost
        self.address = address
        self.content = documents.content(item)
        self.log_fields = LogFields(item, self.content, address.changelist, address.zone)
        self.related = self.log_fields.related
        self.timelines = Timelines(self.log_fields, address)

    @cached_property
    def type(self) -> str:
        """Return the type, truncated to fit a line."""
        return shorten(self.content.fields["type"] or "", MAX_NAME)

    @cached_property
    def sub_type(self) -> str:
        """Return the subtype, truncated to fit a line."""
        return shorten(self.content.fields["sub_type"] or "", MAX_NAME)

    @cached_property
    def subject(self) -> str:
        """Return the name or key of the object, otherwise the URL, truncated."""
        subject = self.log_fields.object_name or self.item.object_key or self.content.fields["url"]
        return shorten(subject or "", MAX_SUBJECT)

    @cached_property
    def title(self) -> str:
        """Return the heading as one text."""
        words = " ".join(filter(None, [self.type, self.sub_type]))
        return " · ".join(filter(None, [words, self.subject]))

    @cached_property
    def time(self) -> Time:
        """Return the time of the log in the page's zone."""
        return display_time(self.item.created_at, self.address.zone)

    @property
    def distance(self) -> str:
        """Return how long ago the log was created."""
        return display_distance(self.item.created_at, datetime.now(UTC))

    @cached_property
    def user(self) -> Link:
        """Return the user with name, and the address of the user's logs."""
        user_id = self.content.fields["user_id"] or ""
        name = shorten(with_name(user_id, self.log_fields.user_name), MAX_NAME)
        text = "no one" if user_id == NO_ONE else f"user {name}"
        return Link(text, self.log_fields.listing(self.related.user))

    @cached_property
    def account(self) -> Link:
        """Return the account with its name, and the address of its logs."""
        account_id = self.content.fields["account_id"] or ""
        name = shorten(with_name(account_id, self.log_fields.account_name), MAX_NAME)
        return Link(f"account {name}", self.log_fields.listing(self.related.account))

    @property
    def client(self) -> list[str]:
        """Return place, device and address of the submitter, without those that are missing."""
        fields = self.content.fields
        groups = [("city", "country"), ("platform", "browser"), ("ip",)]
        texts = [", ".join(filter(None, (fields[f"submitter_{name}"] for name in group))) for group in groups]
        return [shorten(text, MAX_NAME) for text in texts if text]

    @property
    def application(self) -> Link | None:
        """Return the link to the object in the main application, or None."""
        return self.log_fields.application("object")

    @cached_property
    def request_href(self) -> str | None:
        """Return the address of all logs of the request, or None without one."""
        return self.log_fields.listing(self.related.request) if self.related.request else None

    @property
    def field_list(self) -> SafeString:
        """Return the fields that have a value as HTML."""
        return field_list(self.log_fields.rows, self.address.file)

    @property
    def storage_list(self) -> SafeString:
        """Return the fields that Logsite added as HTML."""
        return field_list(self.log_fields.storage, self.address.file)

    @cached_property
    def payload(self) -> Payload | None:
        """Return the payload, or None without one."""
        text = self.content.payload_text
        if text is None:
            return None
        return Payload(text, self.address.form, ALL_BYTES if self.address.shows_all else FIRST_BYTES)

    @property
    def forms(self) -> SafeString:
        """Return links to the forms of a JSON payload as HTML. It is empty for another payload."""
        payload = self.payload
        if payload is None or not payload.is_json:
            return SafeString()
        return choice_links(
            Link(text, None if form == payload.form else self.address.page("#payload", form=form))
            for form, text in FORMS.items()
        )

    @property
    def all_href(self) -> str | None:
        """Return the address with more of the payload, or None if there is none."""
        return None if self.address.shows_all else self.address.page("#payload", shows_all=True)

    @cached_property
    def extra(self) -> Payload | None:
        """Return the fields that Logsite does not know, or None without any."""
        text = self.content.extra_text
        return Payload(text, limit=MAX_EXTRA_BYTES, size=MAX_EXTRA_SIZE) if text else None


def as_json(item: LogItem) -> str:
    """Return a whole log as JSON: the sender's fields, and the times of Logsite."""
    content = documents.content(item)
    fields = {
        "id": item.id,
        "created_at": times.to_text(item.created_at),
        "received_at": times.to_text(item.received_at),
        "imported_at": times.to_text(item.imported_at) if item.imported_at else None,
        **content.fields,
        "sent_created_at": content.sent_created_at,
        "damage": content.damage,
    }
    return documents.with_values(fields, content)
