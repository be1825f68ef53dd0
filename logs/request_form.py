"""The filter of a request, with the lookups that its values need."""

from django.http import HttpRequest, QueryDict

from logs import reader
from logs.form_fields import ALL, DEFAULT_LIMIT
from logs.page_form import PageForm
from logs.pages import buttons, preferences
from logs.pages.address import Address
from logs.pages.preferences import Preferences
from logs.pages.view_tabs import read_tabs
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


def read_shown(request: HttpRequest, data: QueryDict) -> Preferences:
    """Return how an address shows its rows: as its view or as the browser.

    Costs at most one BatchGetItem for an address with a view. Raises BadRequest for an invalid value.
    """
    shown = preferences.read(request)
    view_id = str(data.get("view", ""))
    tabs = read_tabs(request.user, view_id, may_share=False) if view_id else None
    return preferences.of_address(data, tabs.preferences(shown) if tabs else shown)


def read_address(
    request: HttpRequest, data: QueryDict, shown: Preferences | None = None
) -> tuple[PageForm, Address | None]:
    """Return the form of an address of the listing, and the address. It is None for an invalid form.

    The values are taken as they are: the links of the listing have no others. Without `shown` the page size
    is that of the browser. Costs nothing.
    """
    view = shown or preferences.read(request)
    form = PageForm(
        data,
        default_limit=view.limit,
        raw=request.META["QUERY_STRING"],
        includes_own=reads_own_accounts(request.user),
    )
    if not form.is_valid():
        return form, None
    query = form.first_page()
    # The page size of the saved view was not read, so that of the address stays in each link.
    stays = "view" in form.kept and bool(form.cleaned_data["limit"]) and shown is None
    address = Address(
        query.plan,
        query.limit,
        form.zone,
        form.time_range,
        0 if stays else view.limit,
        form.kept,
        needs_all=bool(form.cleaned_data[ALL]),
    )
    return form, address
