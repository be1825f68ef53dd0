"""Why a message is rejected, for programs and for readers."""

from collections.abc import Mapping

NOT_JSON = {"body": ["must be JSON in UTF-8, with finite numbers"]}


class Rejected(Exception):
    """A message can never be stored unchanged, so a retry cannot help.

    `code` is the reason for programs. `fields` maps each field to its errors, which contain no value of the
    message. `log_id` is the id in the message, or None if it is missing or invalid. `place` is where the log
    is, if it is wrapped. `attributes` are more message attributes of the dead letter.
    """

    attributes: Mapping[str, str] = {}

    def __init__(
        self, code: str, fields: Mapping[str, list[str]], log_id: str | None = None, place: str = ""
    ) -> None:
        self.code = code
        self.fields = dict(fields)
        self.log_id = log_id
        self.place = place
        text = "; ".join(f"{name}: {text}" for name, texts in fields.items() for text in texts)
        super().__init__(f"in {place}: {text}" if place else text)


class InvalidMessage(Rejected, ValueError):
    """A message violates the wire format.

    The codes are `invalid_fields`, `not_json`, `not_an_object`, `not_deflated` and `too_many_fields`.
    """

    def within(self, place: str) -> "InvalidMessage":
        """Return the error for a log that is in a wrapper."""
        return InvalidMessage(self.code, self.fields, self.log_id, place) if place else self
