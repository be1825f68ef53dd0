"""Signals about the reading of logs, for an audit trail. An error of a receiver fails no page.

Each signal has the argument `request`, None for a command. `via` is `page`, `numbers`, `live`, `row`,
`timelines`, `file` or `api`.
"""

from django.dispatch import Signal

# A page of the listing was read. Arguments: `query`, a PageQuery, `via`, and `include`: `payload` if its logs
# are whole.
logs_read = Signal()
# One log was read whole, or, via `timelines`, logs around it. Arguments: `log_id` and `via`.
log_opened = Signal()
# An export begins. Arguments: `query`, and `format`, such as `csv`.
logs_exported = Signal()
# The file of an export in the background is downloaded. Arguments: `export_id` and `file_name`.
export_downloaded = Signal()
# A log was deleted by a command. Argument: `log_id`.
log_deleted = Signal()
# A shared view was saved, changed or deleted. Arguments: `view`, a SavedView, and `action`: `shared`,
# `changed`, `renamed` or `deleted`.
shared_view_changed = Signal()
