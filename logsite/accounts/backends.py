"""Who a user is, and what they may do: Django's ModelBackend, with permissions from the user's own row."""

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend


class UserBackend(ModelBackend):
    """Sign users in by password. There are no groups."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the names of the user's permissions; none for one object, as in Django's own backend."""
        if user_obj.is_anonymous or not user_obj.is_active or obj is not None:
            return set()
        return set(user_obj.permissions)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the empty set."""
        return set()

    # ModelBackend's own would ask SQL; these two call the methods above.
    aget_user_permissions = BaseBackend.aget_user_permissions
    aget_group_permissions = BaseBackend.aget_group_permissions
