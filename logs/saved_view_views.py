"""The pages of saved views: their list, and save, rename, replace and delete."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from logs import saved_views, signals
from logs.frame import Admin, handles_errors, render, reverse_url
from logs.page_form import PageForm
from logs.pages import preferences, sentence
from logs.pages.address import Address
from logs.pages.links import Link
from logs.pages.view_tabs import address_of, owner_of, view_query
from logs.permissions import reads_own_accounts
from logs.saved_views import MAX_NAME, SavedView, ViewList, ViewRejected
from logs.storage import view_items
from logs.storage.view_items import SHARED

Change = Callable[[ViewList], ViewList]


@dataclass(frozen=True)
class Place:
    """A view and the owner of its list."""

    view: SavedView
    owner: str

    @property
    def is_shared(self) -> bool:
        """Return whether everybody sees the view."""
        return self.owner == SHARED


def may_share(request: HttpRequest, admin: Admin) -> bool:
    """Return whether the user may share views, and change shared ones."""
    return request.user.has_perm(f"{admin.opts.app_label}.share_views")


@handles_errors
def index(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the list of views. A POST chooses the view that opens first."""
    own, shared = _read(request)
    if request.method == "POST":
        start = request.POST.get("start", "")
        if start and not (own.get(start) or shared.get(start)):
            raise BadRequest("start must be the id of a saved view, or empty.")
        saved_views.change(owner_of(request.user), lambda views: views.open_first(start))
        messages.success(request, "The start view was saved.")
        return HttpResponseRedirect(reverse_url(admin, "views"))
    can_share = may_share(request, admin)
    changelist = reverse_url(admin, "changelist")
    rows = [
        {
            "view": view,
            "href": f"{changelist}{address_of(view)}",
            "is_shared": is_shared,
            "is_start": own.start == view.id,
            "may_change": can_share or not is_shared,
        }
        for views, is_shared in ((own, False), (shared, True))
        for view in views.views
    ]
    has_start = any(row["is_start"] for row in rows)
    return render(
        request, admin, "saved_views", {"title": "Saved views", "rows": rows, "has_start": has_start}
    )


@handles_errors
def add(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the form that saves a filter as a view. A POST saves it, and redirects to the view."""
    _read_setting()
    data = request.POST if request.method == "POST" else request.GET
    query, text = _read_query(request, data.get("query", ""))
    can_share = may_share(request, admin)
    is_shared, is_start = bool(data.get("shared")), bool(data.get("start"))
    context = {
        "title": "Save view",
        "query": query,
        "sentence": text,
        "may_share": can_share,
        "name": data.get("name", ""),
        "is_shared": is_shared,
        "is_start": is_start,
    }
    if request.method != "POST":
        return _form(request, admin, context)
    if is_shared and not can_share:
        raise PermissionDenied
    view = saved_views.new_view(data.get("name", ""), query)
    owner = SHARED if is_shared else owner_of(request.user)
    try:
        saved_views.change(owner, lambda views: views.add(view, starts=is_start and not is_shared))
    except ViewRejected as error:
        return _form(request, admin, {**context, "problem": str(error)})
    if is_shared:
        _report(request, view, "shared")
        if is_start:
            saved_views.change(owner_of(request.user), lambda views: views.open_first(view.id))
    messages.success(request, f"The view “{view.text}” was saved.")
    return HttpResponseRedirect(reverse_url(admin, "changelist") + address_of(view))


@handles_errors
def change(request: HttpRequest, admin: Admin, view_id: str) -> HttpResponse:
    """Return the form that renames a view, or a 404. A POST renames it."""
    place = _find(request, admin, view_id)
    if place is None:
        return _missing(request, admin)
    name = request.POST.get("name", "") if request.method == "POST" else place.view.name
    context = {"title": f"Rename “{place.view.text}”", "name": name, "is_rename": True}
    if request.method != "POST":
        return _form(request, admin, context)
    try:
        changed = saved_views.change(place.owner, lambda views: views.rename(view_id, name))
    except ViewRejected as error:
        return _form(request, admin, {**context, "problem": str(error)})
    renamed = changed.get(view_id) or place.view
    if place.is_shared:
        _report(request, renamed, "renamed")
    messages.success(request, f"The view is now named “{renamed.text}”.")
    return HttpResponseRedirect(reverse_url(admin, "views"))


@handles_errors
def replace(request: HttpRequest, admin: Admin, view_id: str) -> HttpResponse:
    """Save another filter in a view, or return a 404."""
    place = _find(request, admin, view_id)
    if place is None:
        return _missing(request, admin)
    query, _ = _read_query(request, request.POST.get("query", ""))
    return _changed(
        request,
        place,
        lambda views: views.replace(view_id, query),
        "changed",
        f"The view “{place.view.text}” was saved.",
        reverse_url(admin, "changelist") + address_of(SavedView(view_id, place.view.name, query)),
    )


@handles_errors
def delete(request: HttpRequest, admin: Admin, view_id: str) -> HttpResponse:
    """Return the page that confirms the deletion of a view, or a 404. A POST deletes it."""
    place = _find(request, admin, view_id)
    if place is None:
        return _missing(request, admin)
    if request.method != "POST":
        context = {"title": f"Delete “{place.view.text}”", "place": place}
        return render(request, admin, "saved_view_delete", context)
    return _changed(
        request,
        place,
        lambda views: views.delete(view_id),
        "deleted",
        f"The view “{place.view.text}” was deleted.",
        reverse_url(admin, "views"),
    )


def _changed(
    request: HttpRequest, place: Place, change_list: Change, action: str, text: str, address: str
) -> HttpResponse:
    """Change the list of a view, say so, and redirect."""
    try:
        saved_views.change(place.owner, change_list)
    except ViewRejected as error:
        raise BadRequest(str(error)) from error
    if place.is_shared:
        _report(request, place.view, action)
    messages.success(request, text)
    return HttpResponseRedirect(address)


def _read_setting() -> None:
    """Raise Http404 if saved views are switched off."""
    if not view_items.is_on():
        raise Http404("Saved views are switched off: VIEWS_TABLE is empty.")


def _read(request: HttpRequest) -> tuple[ViewList, ViewList]:
    _read_setting()
    return saved_views.read(owner_of(request.user))


def _find(request: HttpRequest, admin: Admin, view_id: str) -> Place | None:
    """Return a view that the user may change, or None without one. Raises PermissionDenied."""
    own, shared = _read(request)
    if view := own.get(view_id):
        return Place(view, owner_of(request.user))
    if view := shared.get(view_id):
        if not may_share(request, admin):
            raise PermissionDenied
        return Place(view, SHARED)
    return None


def _read_query(request: HttpRequest, text: str) -> tuple[str, str]:
    """Return the query string of a view, and its filter as a sentence. Raises BadRequest."""
    try:
        saved_views.check_query(text)
    except ViewRejected as error:
        raise BadRequest(str(error)) from error
    form = PageForm(QueryDict(text), raw=text, includes_own=reads_own_accounts(request.user))
    if not form.is_valid():
        errors = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in form.errors_by_parameter().items())
        raise BadRequest(f"The filter to save is not valid. {errors}")
    shown = preferences.of_address(QueryDict(text), preferences.read(request))
    page = form.first_page()
    address = Address(page.plan, page.limit, form.zone, form.time_range)
    words = sentence.title(page.plan, sentence.Times(form.zone, form.time_range))
    return view_query(address, shown), words


def _form(request: HttpRequest, admin: Admin, context: dict[str, Any]) -> HttpResponse:
    return render(request, admin, "saved_view_form", {**context, "max_name": MAX_NAME})


def _missing(request: HttpRequest, admin: Admin) -> HttpResponse:
    context = {
        "title": "Saved view not found",
        "message": "There is no such saved view. Perhaps it was deleted.",
        "next_steps": [Link("Saved views", reverse_url(admin, "views"))],
    }
    return render(request, admin, "error", context, HTTPStatus.NOT_FOUND)


def _report(request: HttpRequest, view: SavedView, action: str) -> None:
    signals.shared_view_changed.send_robust(sender=SavedView, request=request, view=view, action=action)
