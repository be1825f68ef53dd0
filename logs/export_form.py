"""The form of an export: its format, its columns, and whether it has payloads."""

from datetime import tzinfo
from typing import Any

from django import forms

from logs.exports.formats import FORMATS
from logs.exports.spec import Spec
from logs.page_form import PageForm
from logs.pages.columns import column_attributes, read_columns
from logs.plan import QueryPlan

ALL, SHOWN = "all", "shown"
FORMAT_LABELS = {
    "csv": "CSV, for spreadsheets",
    "ndjson": "NDJSON, one JSON object in a line",
    "json": "JSON, one object",
}
WRONG_CHOICE = "“%(value)s” is not one of the choices."
# The parameters of one page of the listing.
PAGE_PARAMETERS = ("at", "around", "cursor", "limit")


class ExportForm(forms.Form):
    """The options of an export."""

    format = forms.ChoiceField(
        choices=[(name, FORMAT_LABELS[name]) for name in FORMATS],
        initial="csv",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": WRONG_CHOICE},
    )
    columns = forms.ChoiceField(
        choices=[(ALL, "All columns"), (SHOWN, "The columns of the list")],
        initial=ALL,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": WRONG_CHOICE},
    )
    payloads = forms.BooleanField(required=False, label="With payloads and extra fields")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        # The first field, for those who came by the keyboard.
        self.fields["format"].widget.attrs["autofocus"] = True

    def spec(self, plan: QueryPlan, shown_columns: str, zone: tzinfo) -> Spec:
        """Return the export of a valid form. `shown_columns` is a text of `read_columns`."""
        values = self.cleaned_data
        is_all = values["columns"] == ALL
        columns = () if is_all else column_attributes(read_columns(shown_columns))
        return Spec(plan, values["format"], columns, values["payloads"], zone)


def reject_page_parameters(form: PageForm) -> None:
    """Add an error to a valid form for each parameter of a page.

    An export begins at the first log.
    """
    for name in PAGE_PARAMETERS:
        if form.cleaned_data[name]:
            form.add_error(name, f"An export has no pages: leave {name} out.")
