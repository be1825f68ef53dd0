"""The parameters of a page of the API."""

from logs.api_form import ApiForm
from logs.fields import ChoiceField
from logs.form_fields import FIELDS, SharedFields

JSON, NDJSON = "json", "ndjson"
PAYLOAD = "payload"


class ListForm(ApiForm):
    """The parameters of a page of the API."""

    base_fields = SharedFields(
        {
            **FIELDS,
            "include": ChoiceField(
                choices=[(PAYLOAD, PAYLOAD)],
                required=False,
                error_messages={"invalid_choice": "“%(value)s” cannot be included: write payload."},
            ),
            "format": ChoiceField(
                choices=[(JSON, JSON), (NDJSON, NDJSON)],
                required=False,
                error_messages={"invalid_choice": "“%(value)s” is not a format: write json or ndjson."},
            ),
        }
    )

    @property
    def includes_payloads(self) -> bool:
        """Return whether the logs of a valid form are whole."""
        return bool(self.cleaned_data["include"])

    @property
    def is_ndjson(self) -> bool:
        """Return whether the format of a valid form is NDJSON."""
        return bool(self.cleaned_data["format"] == NDJSON)
