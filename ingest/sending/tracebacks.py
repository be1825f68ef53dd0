"""An exception as the members of a JSON object."""

import traceback
from types import TracebackType
from typing import Any

from ingest.sending.classes import is_named
from ingest.sending.texts import text_of

# The first and the last frames of a traceback. Those between belong to a deep recursion.
FIRST_FRAMES = 10
LAST_FRAMES = 40
# Generated code may be one line of megabytes.
MAX_FRAME_CHARACTERS = 1_000


def members(error: BaseException) -> dict[str, Any]:
    """Return class, message and traceback of an exception, None if it was not raised.

    These members are added if the exception has them:

    - `args`: its arguments, unless the message is the only one.
    - `notes`: the texts that `add_note` added.
    - `errors`: the messages of Django's ValidationError, by field.
    - `exceptions`: the exceptions of a group.
    - `cause` or `context`: the exception that it was raised from, or while handling.
    """
    message = text_of(error)
    result: dict[str, Any] = {
        "class": class_name(type(error)),
        "message": message,
        "traceback": _traceback(trace) if type(trace := error.__traceback__) is TracebackType else None,
    }
    if isinstance(error, BaseExceptionGroup):
        result["exceptions"] = error.exceptions
    elif is_named(type(error), "django.core.exceptions.ValidationError"):
        result["errors"] = getattr(error, "message_dict", None) or getattr(error, "messages", None)
    elif error.args not in ((), (message,)):
        result["args"] = error.args
    if notes := getattr(error, "__notes__", None):
        result["notes"] = notes
    if error.__cause__ is not None:
        result["cause"] = error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        result["context"] = error.__context__
    return result


def class_name(cls: type[Any]) -> str:
    """Return the qualified name of a class, without the module for Python's own."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _traceback(trace: TracebackType) -> str:
    """Return a traceback as Python prints it, without the exception and with the frames limited."""
    number = sum(1 for _ in traceback.walk_tb(trace))
    lines = ["Traceback (most recent call last):\n"]
    omitted = number - FIRST_FRAMES - LAST_FRAMES
    if omitted > 0:
        lines += traceback.format_tb(trace, FIRST_FRAMES)
        lines.append(f"  … {omitted:,} frames are omitted\n")
        lines += traceback.format_tb(trace, -LAST_FRAMES)
    else:
        lines += traceback.format_tb(trace)
    return "".join(_shorten(line) for line in lines)


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_FRAME_CHARACTERS else f"{text[:MAX_FRAME_CHARACTERS]}…\n"
