"""The addresses of the page of a log, and of the list before it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core.exceptions import BadRequest

from logs import zones
from logs.characters import visible
from logs.pages.payload import FORMS
from logs.pages.related import AXES

# The parameter of the Django admin with the query string of the list.
LIST = "_changelist_filters"
MAX_QUOTED = 60


@dataclass(frozen=True)
class LogAddress:
    """The address of a log's page.

    `changelist` is the path of the listing, `list_query` the query string of the list that led here, or None.
    """

    changelist: str
    log_id: str
    list_query: str | None = None
    form: str = ""
    shows_all: bool = False
    axis: str = ""
    zone: tzinfo = UTC

    @classmethod
    def read(
        cls, changelist: str, log_id: str, parameters: Mapping[str, str], referer: str, host: str
    ) -> "LogAddress":
        """Return the address of a request. Raises BadRequest for a wrong parameter.

        The list is the one of the parameters, otherwise of the header Referer. The time zone is that of the
        parameters, otherwise of the list.
        """
        list_query = parameters.get(LIST)
        if list_query is None:
            list_query = list_of_referer(referer, host, changelist)
        return cls(
            changelist,
            log_id,
            list_query,
            _choice(parameters, "view", FORMS),
            bool(_choice(parameters, "all", {"1": ""})),
            _choice(parameters, "axis", AXES),
            _zone(parameters.get("tz", ""), list_query or ""),
        )

    def page(self, fragment: str = "", route: str = "change", **changes: Any) -> str:
        """Return the address of this page with other parameters, or of another log's page.

        `route` is the end of its path.
        """
        address = replace(self, **changes)
        values = {"view": address.form, "all": "1" if address.shows_all else "", "axis": address.axis}
        parameters = {name: value for name, value in values.items() if value}
        return address._path(route, parameters) + fragment

    def other(self, log_id: str) -> str:
        """Return the address of another log's page, with the same list and axis."""
        return self.page(log_id=log_id, form="", shows_all=False)

    @cached_property
    def timelines(self) -> str:
        """Return the address of the timelines, with the same parameters."""
        return self.page(route="timelines")

    @property
    def previous(self) -> str:
        """Return the address that leads to the previous log of the list."""
        return self._path("previous", {})

    @property
    def next(self) -> str:
        """Return the address that leads to the next log of the list."""
        return self._path("next", {})

    @property
    def file(self) -> str:
        """Return the address of the log as a file."""
        return f"{self.changelist}{self.log_id}/json/"

    @property
    def payload(self) -> str:
        """Return the address of the payload as sent."""
        return f"{self.file}?part=payload"

    @property
    def back(self) -> str:
        """Return the address of the list, at the row of this log."""
        if self.list_query is None:
            query = "" if self.zone is UTC else urlencode({"tz": zones.name(self.zone)})
            return f"{self.changelist}{'?' if query else ''}{query}"
        query = self.list_query.replace("#", "%23")
        return f"{self.changelist}{'?' if query else ''}{query}#log-{self.log_id}"

    def _path(self, name: str, parameters: dict[str, str]) -> str:
        if self.zone is not UTC:
            parameters = {**parameters, "tz": zones.name(self.zone)}
        if self.list_query is not None:
            parameters = {**parameters, LIST: self.list_query}
        query = urlencode(parameters)
        return f"{self.changelist}{self.log_id}/{name}/{'?' if query else ''}{query}"


def _zone(name: str, list_query: str) -> tzinfo:
    """Return the time zone with a name, otherwise that of a list. Raises BadRequest for the name."""
    if name:
        try:
            return zones.parse(name)
        except zones.UnknownZone as error:
            quoted = visible(name[:MAX_QUOTED])
            raise BadRequest(
                f"The parameter tz must be an IANA name such as Europe/Berlin, not “{quoted}”."
            ) from error
    try:
        return zones.parse(dict(parse_qsl(list_query)).get("tz", zones.UTC_NAME))
    except ValueError:
        return UTC


def list_of_referer(referer: str, host: str, changelist: str) -> str | None:
    """Return the query string of the listing that a request came from, or None."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return None
    return parts.query if (parts.netloc, parts.path) == (host, changelist) else None


def has_payload_only(parameters: Mapping[str, str]) -> bool:
    """Return whether a file has the payload only. Raises BadRequest for a wrong parameter."""
    return bool(_choice(parameters, "part", {"payload": ""}))


def _choice(parameters: Mapping[str, str], name: str, choices: Mapping[str, str]) -> str:
    """Return a parameter, or an empty text without one. Raises BadRequest with name, rule and value."""
    value = parameters.get(name, "")
    if value and value not in choices:
        quoted = visible(value[:MAX_QUOTED])
        raise BadRequest(f"The parameter {name} must be {' or '.join(choices)}, not “{quoted}”.")
    return value
