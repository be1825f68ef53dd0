"""The forms of the API, and its names of parameters.

A parameter that excludes values has two names: `-type`, as on the pages, and `not_type`, the name of its
filter. OpenAPI has the second one: generated code cannot distinguish `-type` from `type`.
"""

from typing import Any

from django.http import QueryDict

from logs.filters import FILTERS
from logs.forms import FilterForm

FORM_NAMES = {name: each.parameter for name, each in FILTERS.items() if name != each.parameter}
API_NAMES = {parameter: name for name, parameter in FORM_NAMES.items()}


class ApiForm(FilterForm):
    """The parameters of a request to the API. It accepts no others, as a strict FilterForm."""

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        super().__init__(_with_form_names(data), strict=True, **kwargs)
        self._sent = data

    def errors_by_parameter(self) -> dict[str, list[str]]:
        """Return the errors by parameter, under the names that were sent."""
        errors = super().errors_by_parameter()
        sent = {parameter: name for name, parameter in FORM_NAMES.items() if name in self._sent}
        return {sent.get(parameter, parameter): messages for parameter, messages in errors.items()}


def _with_form_names(data: QueryDict) -> QueryDict:
    if FORM_NAMES.keys().isdisjoint(data):
        return data
    renamed = QueryDict(mutable=True)
    for name, values in data.lists():
        for value in values:
            renamed.appendlist(FORM_NAMES.get(name, name), value)
    return renamed
