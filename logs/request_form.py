"""The filter of a request, with the lookups that its values need."""

from django.http import HttpRequest, QueryDict

from logs import reader
from logs.form_fields import DEFAULT_LIMIT
from logs.page_form import PageForm
from logs.pages import buttons
from logs.permissions import reads_own_accounts


def read_form(
    request: HttpRequest,
    data: QueryDict,
    lookup: reader.KeyLookup,
    choices: reader.ChoicesLookup,
    default_limit: int = DEFAULT_LIMIT,
    raw: str | None = None,
) -> PageForm:
    """Return the form of a query string. `raw` is the query string as sent, otherwise the request's."""
    return PageForm(
        buttons.without_empty_buttons(data),
        default_limit=default_limit,
        raw=request.META["QUERY_STRING"] if raw is None else raw,
        has_logs=lookup,
        spellings=choices.spellings,
        includes_own=reads_own_accounts(request.user),
    )
