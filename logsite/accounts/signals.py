"""Signals about users and API tokens, for the audit trail."""

from django.dispatch import Signal

# A user was stored, changed or deleted. Arguments: `user`, and for a change `fields`, a list of names.
# `password` is among them if it is another password, not only another hash of the same one.
user_created = Signal()
user_changed = Signal()
user_deleted = Signal()
# The throttle refused to check a password. Arguments: `request`, which may be None, and `username`.
sign_in_throttled = Signal()
# Argument: `name`.
token_created = Signal()
token_revoked = Signal()
