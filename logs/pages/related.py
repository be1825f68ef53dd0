"""The filters of the logs that are related to one log."""

from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from logs.filters import LogFilter
from logs.models import LogItem
from logs.pages.display import NO_ONE
from logs.storage.documents import Content

# The logs of a request lie within this time before and after each other.
REQUEST_RANGE = timedelta(minutes=10)
# The values of the parameter `axis`, and their texts.
AXES = {
    "user": "this user",
    "account": "this account",
    "type": "this type",
    "everything": "everything",
}


class Related:
    """The filters of one log's account, user, type, object and request."""

    def __init__(self, item: LogItem, content: Content) -> None:
        self._fields = content.fields
        self._item = item

    @cached_property
    def account(self) -> LogFilter:
        """Return the filter of the account."""
        return LogFilter(account_id=(self._fields["account_id"] or "",))

    @cached_property
    def user(self) -> LogFilter:
        """Return the filter of the user. Another account may have a user with this id."""
        return replace(self.account, user_id=(self._fields["user_id"] or "",))

    @cached_property
    def type(self) -> LogFilter:
        """Return the filter of the type."""
        return LogFilter(type=(self._fields["type"] or "",))

    @cached_property
    def object(self) -> LogFilter | None:
        """Return the filter of the object's history. Another account may have an object with this id."""
        key = self._item.object_key
        return replace(self.account, object=(key,)) if key else None

    @cached_property
    def request(self) -> LogFilter | None:
        """Return the filter of the logs of the request, of all accounts."""
        request_id, moment = self._fields["request_id"], self._item.created_at
        if not request_id:
            return None
        return LogFilter(request_id=(request_id,), start=moment - REQUEST_RANGE, end=moment + REQUEST_RANGE)

    @cached_property
    def axes(self) -> dict[str, LogFilter]:
        """Return the filters of AXES. The logs of no one are in no index, so no one is no axis."""
        filters = {"user": self.user, "account": self.account, "type": self.type, "everything": LogFilter()}
        if self._fields["user_id"] == NO_ONE:
            del filters["user"]
        return filters
