"""`python -m ingest dead-letters`: list, replay, edit, export, import and discard dead letters."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from botocore.exceptions import NoRegionError

from ingest.cli.arguments import (
    NO_QUEUE_URL,
    NO_REGION,
    add_queue_url,
    check_dead_letter_urls,
    whole_number,
)
from ingest.cli.dlq import actions
from ingest.cli.dlq.corrections import import_file
from ingest.cli.dlq.dead_letter import LABELS, VALID
from ingest.cli.dlq.export import export
from ingest.cli.dlq.queue import (
    MARGIN_SECONDS,
    MAX_PEEK_SECONDS,
    MIN_ID_CHARACTERS,
    MIN_READS_PER_SECOND,
    PEEK_SECONDS,
    DeadLetterQueue,
    normalize_id,
)
from ingest.cli.dlq.rate import DEFAULT_RATE, parse_rate
from ingest.cli.errors import INTERRUPTED, CommandFailed
from ingest.client import NotSent
from ingest.messages import InvalidMessage
from ingest.wire import sqs
from ingest.wire.errors import AWS_ERRORS

if TYPE_CHECKING:
    from ingest.cli.arguments import Subparsers

Action = Callable[[DeadLetterQueue, argparse.Namespace, TextIO, TextIO], int]

VISIBILITY = (
    "Until the command ends, a visibility timeout hides each message that it reads, so no other consumer "
    f"receives it. The timeout is --seconds plus {MARGIN_SECONDS} s "
    f"({PEEK_SECONDS + MARGIN_SECONDS} s by default). Ctrl-C makes the messages visible again."
)
DESCRIPTION = (
    "List, show, replay (redrive), edit, export, import or discard dead-letter messages. `list`, `show` and "
    "`export` change nothing. "
    f"{VISIBILITY}"
)
ID_HELP = f"a message id or log id, or at least its first {MIN_ID_CHARACTERS} hex digits"


def add_parser(subparsers: "Subparsers") -> None:
    """Add `dead-letters` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "dead-letters",
        help="list, replay, edit, export, import or discard dead letters",
        description=DESCRIPTION,
    )
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands to a parser.

    The parsed options have `run`, the function that takes the options and runs the selected action.
    """
    subcommands = parser.add_subparsers(required=True, metavar="ACTION")

    list_parser = _add_action(
        subcommands,
        "list",
        actions.list_all,
        "print one line per dead letter: id, age, reason, beginning of the body",
    )
    list_parser.add_argument(
        "--json", action="store_true", help="print each whole dead letter, as one JSON object per line"
    )
    _add_code(list_parser)

    show_parser = _add_action(
        subcommands, "show", actions.show, "print one whole dead letter, with its attributes"
    )
    show_parser.add_argument("id", type=_id, metavar="ID", help=ID_HELP)
    show_parser.add_argument(
        "--body", action="store_true", help="print only the body, to change it in a file for `edit`"
    )

    replay_parser = _add_sending_action(
        subcommands,
        "replay",
        actions.replay,
        "send dead letters to the queue of logs again (redrive); each log is stored once",
    )
    _add_selection(replay_parser)

    edit_parser = _add_sending_action(
        subcommands,
        "edit",
        actions.edit,
        "send a new body in place of a dead letter, with its id and time of sending",
    )
    edit_parser.add_argument("id", type=_id, metavar="ID", help=ID_HELP)
    edit_parser.add_argument(
        "--file", default="-", metavar="FILE", help="the file with the new body; default: -, standard input"
    )

    export_parser = _add_action(
        subcommands,
        "export",
        export,
        "write bodies to a file, as one JSON object per line, to correct them for `import`",
        reads_all=True,
    )
    export_parser.add_argument("file", metavar="FILE", help="the new file, or - for standard output")
    export_parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    _add_code(export_parser)

    import_parser = _add_sending_action(
        subcommands,
        "import",
        import_file,
        "send the corrected bodies of a file from `export` in place of their dead letters",
        reads_all=True,
    )
    import_parser.add_argument("file", metavar="FILE", help="the corrected file, or - for standard input")
    import_parser.add_argument(
        "--dry-run", action="store_true", help="validate FILE and look for its dead letters, but send nothing"
    )
    import_parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help=(
            "file with the message ids that were replayed, so that the command can be repeated; "
            "default: FILE with .logsite-checkpoint appended"
        ),
    )

    discard_parser = _add_sending_action(
        subcommands,
        "discard",
        actions.discard,
        "delete dead letters, and archive each as a log of account _logsite",
    )
    _add_selection(discard_parser)
    discard_parser.add_argument(
        "--reason", type=_reason, required=True, help="why the log will never be stored; archived with it"
    )


def _add_action(
    subcommands: "Subparsers", name: str, action: Action, text: str, *, reads_all: bool = False
) -> argparse.ArgumentParser:
    """Add an action. If it reads all dead letters, their number sets the default of --seconds."""
    default = f"{PEEK_SECONDS}"
    if reads_all:
        default += f", or one second per {MIN_READS_PER_SECOND} dead letters if that is longer"
    parser = subcommands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}. {VISIBILITY}")
    parser.set_defaults(run=run, action=action, sends=False, queue_url=None)
    parser.add_argument(
        "--dead-letter-queue-url",
        default=os.environ.get("LOGS_DEAD_LETTER_QUEUE_URL"),
        metavar="URL",
        help="the dead-letter queue; default: LOGS_DEAD_LETTER_QUEUE_URL",
    )
    parser.add_argument(
        "--seconds",
        type=whole_number(1, MAX_PEEK_SECONDS),
        default=None if reads_all else PEEK_SECONDS,
        metavar="N",
        help=f"read the dead-letter queue for at most N seconds; default: {default}",
    )
    return parser


def _add_sending_action(
    subcommands: "Subparsers", name: str, action: Action, text: str, *, reads_all: bool = False
) -> argparse.ArgumentParser:
    """Add an action that also needs the queue of logs."""
    parser = _add_action(subcommands, name, action, text, reads_all=reads_all)
    parser.set_defaults(sends=True)
    add_queue_url(parser)
    return parser


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", type=_id, nargs="*", metavar="ID", help=ID_HELP)
    parser.add_argument("--all", action="store_true", help="select all dead letters, each once")
    _add_code(parser)
    parser.add_argument(
        "--rate",
        type=_rate,
        default=DEFAULT_RATE,
        metavar="N",
        help="with --all, process at most N per second; default: 10",
    )


def _add_code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--code",
        action="append",
        choices=LABELS,
        metavar="CODE",
        help=(
            f"select a reason: {', '.join(LABELS)}; {VALID}: the message has no error. "
            "Repeat it for several reasons"
        ),
    )


def run(options: argparse.Namespace, out: TextIO | None = None, err: TextIO | None = None) -> int:
    """Run the selected action. Return the exit status.

    Errors are printed on `err`. Raise BrokenPipeError if the reader of the output has ended.
    """
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
        return INTERRUPTED
    except InvalidMessage as error:
        err.write(f"The writer would reject the new body: {error}. Nothing was sent.\n")
    except NoRegionError:
        err.write(f"{NO_REGION}\n")
    except AWS_ERRORS as error:
        err.write(f"SQS: {error}\n")
    except (CommandFailed, NotSent, OSError) as error:
        err.write(f"{error}\n")
    finally:
        if queue and queue.hidden_until:
            err.write(
                "SQS could not reset the visibility timeout: some dead letters stay hidden until "
                f"{queue.hidden_until:%H:%M:%S} UTC at most.\n"
            )
    return 1


def _queue(options: argparse.Namespace) -> DeadLetterQueue:
    """Return the dead-letter queue. Raise CommandFailed if a queue is missing, or if both are the same."""
    if not options.dead_letter_queue_url:
        raise CommandFailed(
            "Set the dead-letter queue with --dead-letter-queue-url or LOGS_DEAD_LETTER_QUEUE_URL."
        )
    if options.sends and not options.queue_url:
        raise CommandFailed(NO_QUEUE_URL)
    check_dead_letter_urls(options.dead_letter_queue_url, options.queue_url, sends=options.sends)
    client = sqs.client(queue_url=options.dead_letter_queue_url)
    return DeadLetterQueue(client, options.dead_letter_queue_url)


def _id(text: str) -> str:
    try:
        return normalize_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _rate(text: str) -> float:
    try:
        return parse_rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text.strip()
