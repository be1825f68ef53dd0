"""Django's ModelBackend with the permissions of the user's own item."""

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend


class UserBackend(ModelBackend):
    """Authenticate users by password. There are no groups."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the names of the user's permissions.

        As in Django's own backend, nobody has permissions for a single object.
        """
        if user_obj.is_anonymous or not user_obj.is_active or obj is not None:
            return set()
        return set(user_obj.permissions)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the empty set."""
        return set()

    # ModelBackend's own versions query SQL. These two call the methods above.
    aget_user_permissions = BaseBackend.aget_user_permissions
    aget_group_permissions = BaseBackend.aget_group_permissions
