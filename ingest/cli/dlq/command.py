"""`python -m ingest dead-letters`: list, show, replay, edit and discard what was not stored."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, TextIO

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from ingest.cli.dlq import actions
from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq import queue as peeking
from ingest.cli.dlq.queue import DeadLetterQueue, Unfit
from ingest.cli.dlq.redrive import NoRoom
from ingest.client import NotSent
from ingest.messages import InvalidMessage
from ingest.wire import sqs

if TYPE_CHECKING:
    # What `add_subparsers` returns is generic for type checkers alone.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

MIN_RATE, MAX_RATE = 0.1, 1000

STOPPED = 130  # what a shell says of a command that Ctrl-C ended
DESCRIPTION = (
    "Look at what the writer could not store, send it again, mend it or give it up. Looking hides a letter "
    f"from others until the command ends, for --seconds and {peeking.MARGIN_SECONDS} s at most "
    f"({peeking.LOOK_SECONDS + peeking.MARGIN_SECONDS} s by default); Ctrl-C makes all visible again. "
    "None is moved or lost by it."
)
ID_HELP = f"a message's or a log's id, or its beginning: {peeking.MIN_ID_CHARACTERS} hex digits or more"


def add_parser(subparsers: "Subparsers") -> None:
    """Add `dead-letters` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "dead-letters", help="what could not be stored: list, replay, mend", description=DESCRIPTION
    )
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands to a parser; what it parses then has `run`, a function of itself."""
    subcommands = parser.add_subparsers(required=True, metavar="ACTION")

    listing = _action(
        subcommands, "list", "one line for each: its id, age, reason and the beginning of its body"
    )
    listing.add_argument("--json", action="store_true", help="each whole, as one JSON object a line")
    _add_code(listing)
    listing.set_defaults(action=actions.show_all)

    showing = _action(subcommands, "show", "one whole, with its attributes")
    showing.add_argument("id", type=_id, metavar="ID", help=ID_HELP)
    showing.add_argument(
        "--body", action="store_true", help="the body alone, to change it in a file and `edit` it then"
    )
    showing.set_defaults(action=actions.show)

    replaying = _action(
        subcommands, "replay", "send again under the first identity: it is stored once", sends=True
    )
    _add_choice(replaying)
    replaying.set_defaults(action=actions.replay)

    editing = _action(subcommands, "edit", "send a new body in its place, under its identity", sends=True)
    editing.add_argument("id", type=_id, metavar="ID", help=ID_HELP)
    editing.add_argument(
        "--file", default="-", metavar="FILE", help="the new body; default: -, standard input"
    )
    editing.set_defaults(action=actions.edit)

    discarding = _action(
        subcommands, "discard", "give it up: it is kept as a log of the site's own", sends=True
    )
    _add_choice(discarding)
    discarding.add_argument("--reason", type=_words, required=True, help="why it will never be stored")
    discarding.set_defaults(action=actions.discard)


def _action(
    subcommands: "Subparsers", name: str, text: str, *, sends: bool = False
) -> argparse.ArgumentParser:
    parser = subcommands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}. {DESCRIPTION}"
    )
    parser.set_defaults(run=run, sends=sends, logs_url=None)
    parser.add_argument(
        "--dead-letter-queue-url",
        dest="dead_letters_url",
        default=os.environ.get("LOGS_DEAD_LETTER_QUEUE_URL"),
        metavar="URL",
        help="default: LOGS_DEAD_LETTER_QUEUE_URL",
    )
    if sends:
        parser.add_argument(
            "--queue-url",
            dest="logs_url",
            default=os.environ.get("LOGS_QUEUE_URL"),
            metavar="URL",
            help="where to send; default: LOGS_QUEUE_URL",
        )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=peeking.LOOK_SECONDS,
        metavar="N",
        help=f"how long to look for letters at most; default: {peeking.LOOK_SECONDS}",
    )
    return parser


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", type=_id, nargs="*", metavar="ID", help=ID_HELP)
    parser.add_argument("--all", action="store_true", help="all that there are, each once")
    _add_code(parser)
    parser.add_argument(
        "--rate",
        type=_rate,
        default=10.0,
        metavar="N",
        help="with --all, at most so many a second; default: 10",
    )


def _add_code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--code",
        choices=letter.REASONS,
        help=f"of all those alone that `list` gives this reason; {letter.VALID}: nothing is wrong with them",
    )


def run(options: argparse.Namespace, out: TextIO | None = None, err: TextIO | None = None) -> int:
    """Do what was parsed; return the exit status. What goes wrong is said in words on `err`."""
    out, err = out or sys.stdout, err or sys.stderr
    queue = None
    try:
        queue = _queue(options)
        with queue:
            queue.check()
            status: int = options.action(queue, options, out, err)
        return status
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        err.write("Stopped.\n")
        return STOPPED
    except InvalidMessage as error:
        err.write(f"The new body would be a dead letter again: {error}. Nothing was sent.\n")
    except NoRegionError:
        err.write("Name the region in AWS_DEFAULT_REGION.\n")
    except (BotoCoreError, ClientError) as error:
        err.write(f"SQS: {error}\n")
    except (Unfit, NoRoom, NotSent, OSError) as error:
        err.write(f"{error}\n")
    finally:
        if queue and queue.hidden_until:
            err.write(
                "SQS did not take it that letters are to be visible again: "
                f"they are at {queue.hidden_until:%H:%M:%S} UTC at the latest.\n"
            )
    return 1


def _queue(options: argparse.Namespace) -> DeadLetterQueue:
    """Return the queue that was named. Raises Unfit where a queue is not named, or one for both."""
    if not options.dead_letters_url:
        raise Unfit("Name the queue in --dead-letter-queue-url or LOGS_DEAD_LETTER_QUEUE_URL.")
    if options.sends and not options.logs_url:
        raise Unfit("Name the queue to send to in --queue-url or LOGS_QUEUE_URL.")
    if options.dead_letters_url == options.logs_url:
        raise Unfit("The queue of logs and the dead-letter queue must be two.")
    return DeadLetterQueue(sqs.client(queue_url=options.dead_letters_url), options.dead_letters_url)


def _id(text: str) -> str:
    try:
        return peeking.id_key(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not MIN_RATE <= rate <= MAX_RATE:
        raise argparse.ArgumentTypeError(f"must be a number from {MIN_RATE} to {MAX_RATE}, not {text!r}")
    return rate


def _seconds(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= peeking.MAX_LOOK_SECONDS:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 1 to {peeking.MAX_LOOK_SECONDS}, not {text!r}"
        )
    return seconds


def _words(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text.strip()
