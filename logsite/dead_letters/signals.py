"""Signals about dead letters, for the audit trail.

Each has the argument `dead_letter`, a DeadLetter.
"""

from django.dispatch import Signal

# One dead letter was shown whole.
dead_letter_opened = Signal()
# A dead letter was sent to the queue of logs. Arguments: `log_id`, and `fields`, the names of the corrected
# fields. They are None if it was sent unchanged.
dead_letter_replayed = Signal()
# A dead letter was archived, and will be deleted. Argument: `reason`, a text that somebody typed.
dead_letter_discarded = Signal()
