"""Replay or discard many dead letters, in steps that fit into a request.

A step receives dead letters, acts on the selected ones and returns its result, from which the next step goes
on. Every dead letter is claimed before the action (`claims`), and deleted only after SQS has accepted its
replacement.

- A run over all dead letters of a reason acts on those that were sent before its start. A message that is
  rejected again is a new dead letter, so no run replays it twice.
- A step makes all dead letters visible again that it received. Only if it met none of the selected ones do
  they stay hidden, for at most HIDDEN_SECONDS, so that the next step receives others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ingest.cli.dlq import redrive
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import MARGIN_SECONDS, NotDeleted
from ingest.cli.dlq.rate import Rate
from ingest.cli.errors import CommandFailed
from ingest.client import LogClient, NotSent
from ingest.wire.errors import AWS_ERRORS, explain
from logs.storage import deadline
from logsite.dead_letters import signals
from logsite.dead_letters.claims import Claim, Taken, claim
from logsite.dead_letters.display import is_own
from logsite.dead_letters.queues import Queues

REPLAY, DISCARD = "replay", "discard"
# Of the ten seconds that a page takes at most. After it, a step may wait for two long polls.
STEP_SECONDS = 3.0
# The visibility timeout of a run over all dead letters of a reason, and of a run over selected ones.
HIDDEN_SECONDS, SELECTED_SECONDS = 120, 30
OWN_ACCOUNT = "logs of accounts that begin with _ are replayed by the command line only"


@dataclass(frozen=True)
class Selection:
    """The dead letters of a run: selected ones, or all of a reason.

    `ids` are message ids. `code` is the label of a reason. A run without `ids` ignores dead letters that were
    sent after `before`.
    """

    ids: frozenset[str]
    code: str
    before: datetime

    def includes(self, dead_letter: DeadLetter) -> bool:
        """Return whether a dead letter is selected."""
        if self.ids:
            return dead_letter.message_id in self.ids
        is_old = dead_letter.envelope.received_at <= self.before
        return is_old and dead_letter.reason().label == self.code


@dataclass
class StepResult:
    """The result of a step.

    - `log_ids`: the ids of the logs that were sent.
    - `done`: the number of dead letters that were replayed or discarded.
    - `handled`: dead letters that another request had handled before. They are deleted.
    - `busy`: dead letters on which another operator is at work, by its name.
    - `refused`: the reasons of dead letters that cannot be sent, by message id.
    - `pending`: the selected message ids that were not received, or not handled because of a problem.
    - `problem`: why the step ended early, or empty.
    - `is_finished`: whether nothing is left to do.
    """

    log_ids: list[str] = field(default_factory=list)
    done: int = 0
    handled: int = 0
    busy: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    problem: str = ""
    is_finished: bool = False


@dataclass
class Run:
    """One step of a run. `reason` is archived with discarded dead letters.

    `includes_own` is whether the operator may discard dead letters of Logsite's own accounts.
    """

    queues: Queues
    operator: str
    action: str
    selection: Selection
    rate: float
    reason: str = ""
    includes_own: bool = False

    def step(self) -> StepResult:
        """Act on the selected dead letters for at most about STEP_SECONDS.

        Costs three requests to SQS and twenty to DynamoDB per ten dead letters. Raise one of AWS_ERRORS if no
        dead letters can be received.
        """
        ids = self.selection.ids
        result = StepResult(pending=set(ids))
        queue, rate = self.queues.dead_letters, Rate(self.rate)
        hidden = (SELECTED_SECONDS if ids else HIDDEN_SECONDS) - MARGIN_SECONDS
        try:
            for dead_letters in queue.receive(self.rate, hidden, STEP_SECONDS):
                selected = [each for each in dead_letters if self.selection.includes(each)]
                # The requests of each response have a deadline of their own.
                with deadline.started():
                    self._act(selected, result)
                if result.problem or (ids and not result.pending):
                    break
                rate.wait(result.done)
            else:
                result.is_finished = not queue.timed_out
        finally:
            if ids or result.done or result.is_finished or result.problem:
                queue.release()
        result.is_finished |= bool(ids) and not result.pending and not result.problem
        return result

    def _act(self, dead_letters: list[DeadLetter], result: StepResult) -> None:
        """Replay or discard dead letters, and add them to the result."""
        if not dead_letters:
            return
        claims: dict[str, Claim] = {}
        copies: list[DeadLetter] = []
        mine = self._claim(dead_letters, claims, copies, result)
        try:
            if self.action == REPLAY:
                self._replay(mine, claims, result)
            else:
                self._discard(mine, claims, result)
            self.queues.dead_letters.delete(copies)
        except (CommandFailed, NotSent) as error:
            result.problem = str(error)
            # Nothing of these was sent.
            for each in claims.values():
                each.release()
        except AWS_ERRORS as error:
            # Perhaps some of these were sent: their claims expire.
            result.problem = explain(error, self.queues.dead_letters.url)
        result.handled += len(copies)
        result.pending -= {each.message_id for each in copies} | result.busy.keys() | result.refused.keys()

    def _claim(
        self,
        dead_letters: list[DeadLetter],
        claims: dict[str, Claim],
        copies: list[DeadLetter],
        result: StepResult,
    ) -> Iterator[DeadLetter]:
        """Yield each dead letter that this request has claimed, just before the action.

        Add its claim to `claims`. Add those that were handled before to `copies`.
        """
        for dead_letter in dead_letters:
            message_id = dead_letter.message_id
            if refusal := self._refusal(dead_letter):
                result.refused[message_id] = refusal
                continue
            try:
                claims[message_id] = claim(message_id, self.operator)
            except Taken as taken:
                if taken.is_final:
                    copies.append(dead_letter)
                else:
                    result.busy[message_id] = taken.operator
            else:
                yield dead_letter

    def _refusal(self, dead_letter: DeadLetter) -> str:
        """Return why the operator must not act on a dead letter, or an empty text.

        The writer would accept a log of Logsite's own accounts from the site, whoever sent it first.
        """
        is_refused = is_own(dead_letter) and (self.action == REPLAY or not self.includes_own)
        return OWN_ACCOUNT if is_refused else ""

    def _replay(
        self, dead_letters: Iterator[DeadLetter], claims: dict[str, Claim], result: StepResult
    ) -> None:
        def refuse(dead_letter: DeadLetter, reason: str) -> None:
            claims.pop(dead_letter.message_id).release()
            result.refused[dead_letter.message_id] = reason

        def accept(message: redrive.Redrive) -> None:
            claims.pop(message.dead_letter.message_id).finish()
            result.done += 1
            result.pending.discard(message.dead_letter.message_id)
            result.log_ids.append(message.id)
            signals.dead_letter_replayed.send_robust(
                sender=Run, dead_letter=message.dead_letter, log_id=message.id, fields=None
            )

        for _ in redrive.replay(self.queues.dead_letters, self.queues.url, dead_letters, refuse, accept):
            pass

    def _discard(
        self, dead_letters: Iterator[DeadLetter], claims: dict[str, Claim], result: StepResult
    ) -> None:
        with LogClient(self.queues.url, sync=True, strict=True) as client:
            for dead_letter in dead_letters:
                redrive.archive(client, dead_letter, self.reason, self.operator)
                claims.pop(dead_letter.message_id).finish()
                result.done += 1
                result.pending.discard(dead_letter.message_id)
                signals.dead_letter_discarded.send_robust(
                    sender=Run, dead_letter=dead_letter, reason=self.reason
                )
                self.queues.dead_letters.delete([dead_letter])


def correct(queues: Queues, operator: str, message: redrive.Redrive, fields: list[str]) -> None:
    """Send a corrected message, and delete its dead letter.

    `fields` are the names of the corrected fields. Costs four requests. Raise Taken, CommandFailed, or one of
    AWS_ERRORS.
    """
    dead_letter = message.dead_letter
    current = claim(dead_letter.message_id, operator)

    def refuse(dead_letter: DeadLetter, reason: str) -> None:
        raise CommandFailed(reason)

    def accept(message: redrive.Redrive) -> None:
        current.finish()
        signals.dead_letter_replayed.send_robust(
            sender=Run, dead_letter=dead_letter, log_id=message.id, fields=fields or None
        )

    try:
        for _ in redrive.send(queues.dead_letters, queues.url, [message], refuse, accept):
            pass
    except NotDeleted:
        pass  # the claim is final, so nobody sends it again
    except CommandFailed:
        current.release()
        raise
