"""The filter of a request, with the lookups that its values need."""

from django.http import HttpRequest, QueryDict

from logs import reader
from logs.form_fields import DEFAULT_LIMIT
from logs.page_form import PageForm
from logs.pages import buttons, preferences
from logs.pages.address import Address
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


def read_address(request: HttpRequest, data: QueryDict) -> tuple[PageForm, Address | None]:
    """Return the form of an address of the listing, and the address. It is None for an invalid form.

    The values are taken as they are: the links of the listing have no others. Costs nothing.
    """
    view = preferences.read(request)
    form = PageForm(
        data,
        default_limit=view.limit,
        raw=request.META["QUERY_STRING"],
        includes_own=reads_own_accounts(request.user),
    )
    if not form.is_valid():
        return form, None
    query = form.first_page()
    return form, Address(query.plan, query.limit, form.zone, form.time_range, view.limit)
