"""The list of dead letters, one of them, and a run over many."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from ingest.cli.dlq.corrections import corrected
from ingest.cli.dlq.dead_letter import LABELS, DeadLetter
from ingest.cli.dlq.ndjson import Correction
from ingest.cli.dlq.queue import MARGIN_SECONDS
from ingest.cli.dlq.redrive import Redrive
from ingest.cli.errors import CommandFailed
from ingest.messages import InvalidMessage
from ingest.messages import parse as parse_message
from ingest.wire.errors import AWS_ERRORS, explain
from logs.models import is_own_account
from logs.permissions import reads_own_accounts
from logsite.dead_letters import display, queues, signals
from logsite.dead_letters.claims import Taken
from logsite.dead_letters.display import DeadLetterView
from logsite.dead_letters.queues import Inbox, Queues
from logsite.dead_letters.run import DISCARD, OWN_ACCOUNT, REPLAY, Run, StepResult, correct
from logsite.dead_letters.run_form import RunForm, hidden_fields

LIST = "admin:logs_deadletter_changelist"
# As many bytes as a user id may have in a message.
MAX_OPERATOR_BYTES = 500
# A run over all dead letters of a reason stops after so many steps in a row without one.
MAX_IDLE_STEPS = 10
MAX_LINKS = 20
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Queues, P], HttpResponse]

logger = logging.getLogger(__name__)


def _with_queues(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Connect a view to the queues. A page says why if they are not configured or do not respond."""

    @wraps(view)
    def connected(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, queues.connect(), *args, **kwargs)
        except queues.NotConfigured as error:
            # No failure: a site may do without these pages.
            return _render(request, "problem", {"title": "Dead letters", "problem": str(error)})
        except CommandFailed as error:
            problem = str(error)
        except AWS_ERRORS as error:
            logger.error("The dead-letter queue is unavailable: %s", error)
            problem = f"SQS: {explain(error, settings.LOGS_DEAD_LETTER_QUEUE_URL)}"
        return _render(request, "problem", {"title": "Dead letters", "problem": problem}, UNAVAILABLE)

    return connected


@dataclass(frozen=True)
class Group:
    """The dead letters of one reason. `href` lists them alone."""

    code: str
    count: int
    href: str
    is_selected: bool


@_with_queues
def changelist(request: HttpRequest, connection: Queues) -> HttpResponse:
    """Return the list: age, reason, wrong fields, and the beginning of each body."""
    code = request.GET.get("code", "")
    if code and code not in LABELS:
        problem = f"code must be one of {', '.join(LABELS)}, not {code[:100]!r}."
        return _render(
            request, "problem", {"title": "Dead letters", "problem": problem}, HTTPStatus.BAD_REQUEST
        )
    inbox = queues.read(connection.dead_letters)
    rows, hidden = _rows(request, inbox)
    counts = Counter(row.code for row in rows)
    groups = [
        Group(label, counts[label], f"?code={label}", label == code) for label in LABELS if counts[label]
    ]
    context = {
        "title": "Dead letters",
        "rows": [row for row in rows if code in ("", row.code)],
        "hidden": hidden,
        "groups": groups,
        "total": len(rows),
        "code": code,
        "inbox": inbox,
        "hidden_seconds": queues.READ_SECONDS + MARGIN_SECONDS,
        "hidden_until": connection.dead_letters.hidden_until,
    }
    return _render(request, "change_list", context)


def _rows(request: HttpRequest, inbox: Inbox) -> tuple[list[DeadLetterView], int]:
    """Return the rows for a user, the oldest first, and the number of those for superusers only."""
    dead_letters = sorted(inbox.dead_letters, key=lambda each: each.envelope.first_sent_at)
    visible = [each for each in dead_letters if _may_read(request, each)]
    return [DeadLetterView(each) for each in visible], len(dead_letters) - len(visible)


def _may_read(request: HttpRequest, dead_letter: DeadLetter) -> bool:
    return reads_own_accounts(request.user) or not display.is_own(dead_letter)


@_with_queues
def change(request: HttpRequest, connection: Queues, message_id: str) -> HttpResponse:
    """Return one dead letter whole. A POST sends a corrected body in its place."""
    with connection.dead_letters as queue:
        dead_letter = queues.find(queue, message_id)
        if dead_letter is None or not _may_read(request, dead_letter):
            return _missing(request, connection, message_id)
        queue.release(keep=[message_id])
        errors = display.field_errors(dead_letter)
        view = DeadLetterView(dead_letter)
        body = view.body
        problem = ""
        if request.method == "POST":
            body = request.POST.get("body", "").replace("\r\n", "\n")
            try:
                if not view.is_editable:
                    raise CommandFailed("its body is too large for this page: use the command line")
                return _correct(request, connection, dead_letter, view.body, body)
            except InvalidMessage as error:
                errors = error.fields
                problem = "The message was not sent. Please correct the body."
            except Taken as error:
                problem = f"The message was not sent: {error}."
            except CommandFailed as error:
                problem = f"The message was not sent: {error}"
        else:
            signals.dead_letter_opened.send_robust(sender=DeadLetterView, dead_letter=dead_letter)
    context = {
        "title": f"Dead letter {message_id}",
        "letter": view,
        "body": body,
        "members": display.members(body, errors),
        "errors": display.error_texts(errors),
        "problem": problem,
    }
    return _render(request, "change_form", context)


def _correct(
    request: HttpRequest, connection: Queues, dead_letter: DeadLetter, before: str, body: str
) -> HttpResponse:
    """Send a corrected body, and redirect to the list.

    Raise InvalidMessage if the writer would reject it, Taken, or CommandFailed.
    """
    message = _corrected(dead_letter, body)
    correct(connection, _operator(request), message, display.changed_fields(before, body))
    messages.success(
        request,
        format_html(
            'The corrected message was sent. <a href="{}">The log {}</a> is in the list within seconds.',
            *(_log_address(message.id), message.id),
        ),
    )
    return HttpResponseRedirect(reverse(LIST))


def _corrected(dead_letter: DeadLetter, body: str) -> Redrive:
    """Return a dead letter with a corrected body. Raise InvalidMessage, or CommandFailed.

    The writer accepts Logsite's own accounts from the site, so the page must not.
    """
    if is_own_account(parse_message(body).account_id):
        raise InvalidMessage("invalid_fields", {"account_id": [f"is reserved: {OWN_ACCOUNT}"]})
    return corrected(dead_letter, Correction(dead_letter.message_id, body))


def _missing(request: HttpRequest, connection: Queues, message_id: str) -> HttpResponse:
    """Return a 404, with the reasons why a dead letter may be missing."""
    problem = (
        f"There is no dead letter {message_id[:100]!r} to read. It was replayed or discarded, has expired, "
        "or another consumer of the queue hides it for a moment."
    )
    if connection.dead_letters.timed_out:
        problem += " The queue is too long for this page: use the command line."
    return _render(
        request, "problem", {"title": "Dead letter not found", "problem": problem}, HTTPStatus.NOT_FOUND
    )


@_with_queues
def run(request: HttpRequest, connection: Queues) -> HttpResponse:
    """Return the form of a run. A POST takes one step, and returns its result."""
    data = request.POST if request.method == "POST" else request.GET
    form = RunForm(data)
    is_valid = form.is_valid()
    context: dict[str, Any] = {
        "title": _title(form),
        "form": form,
        "action": form.data.get("action", ""),
        "ids": form.ids,
        "code": form.data.get("code", ""),
    }
    if request.method != "POST" or not is_valid:
        # Opened by a link, it has no reason yet.
        problems = form.problems() if request.method == "POST" or _is_wrong_link(form) else []
        return _render(request, "run_form", {**context, "problems": problems})
    values = form.cleaned_data
    current = Run(
        connection,
        _operator(request),
        values["action"],
        form.selection,
        values["rate"],
        values["reason"],
        includes_own=reads_own_accounts(request.user),
    )
    return _render(request, "run", {**context, **_progress(form, current.step(), connection)})


def _progress(form: RunForm, result: StepResult, connection: Queues) -> dict[str, Any]:
    """Return what the page of a step shows."""
    done = form.cleaned_data["done"] + result.done
    idle = 0 if result.done else form.cleaned_data["idle"] + 1
    is_stuck = idle > MAX_IDLE_STEPS
    ids = sorted(result.pending)
    is_finished = result.is_finished or is_stuck
    return {
        "result": result,
        "done": done,
        "is_finished": is_finished,
        "is_stuck": is_stuck,
        "is_hidden": not (form.ids or result.done or result.is_finished or result.problem),
        # The next step of a finished run looks again for those that were not received.
        "can_continue": bool(ids) or not (form.ids or is_finished),
        "hidden_fields": hidden_fields(form, ids, done, idle),
        "links": [(_log_address(each), each) for each in result.log_ids[:MAX_LINKS]],
        "busy": Counter(result.busy.values()).items(),
        "refused": [(each, reason) for each, reason in result.refused.items()],
        "unread": connection.dead_letters.count(),
    }


def _title(form: RunForm) -> str:
    verb = {REPLAY: "Replay", DISCARD: "Discard"}.get(form.data.get("action", ""), "Handle")
    return f"{verb} dead letters"


def _is_wrong_link(form: RunForm) -> bool:
    """Return whether an error is not only the missing reason of a form that was just opened."""
    return bool(form.errors.keys() - {"reason"})


def _operator(request: HttpRequest) -> str:
    """Return the user's name, within the bytes of a user id."""
    return request.user.get_username().encode()[:MAX_OPERATOR_BYTES].decode(errors="ignore")


def _log_address(log_id: str) -> str:
    return reverse("admin:logs_log_change", args=[log_id])


def _render(
    request: HttpRequest, template: str, context: dict[str, Any], status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    request.current_app = site.name
    context = {**site.each_context(request), **context}
    return TemplateResponse(request, f"admin/logs/deadletter/{template}.html", context, status=status)
