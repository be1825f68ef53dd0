"""Django's ModelBackend with the permissions of the user's own item."""

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from logsite.accounts import prefetch, signals, throttle
from logsite.accounts.models import User
from logsite.client_address import client_address


class UserBackend(ModelBackend):
    """Authenticate users by password, within the limits of the throttle. There are no groups."""

    def authenticate(  # type: ignore[override]  # the stubs name the concrete user model
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """Return the user, or None if the name or the password is wrong.

        Raise TooManyAttempts before the password is hashed. Names without a user are throttled too.
        """
        if username is None or password is None:
            return None
        try:
            attempt = throttle.reserve(username, client_address(request) if request else "")
        except throttle.TooManyAttempts:
            # Django sends `user_login_failed` only if no backend raises.
            signals.sign_in_throttled.send_robust(sender=UserBackend, request=request, username=username)
            raise
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user:
            attempt.succeed()
        return user

    def get_user(self, user_id: Any) -> User | None:
        """Return the active user of a session, or None.

        Costs nothing if the session read the user, otherwise one GetItem.
        """
        item = prefetch.take(user_id)
        if item is None:
            return super().get_user(user_id)
        user = User.objects.from_item(item)
        return user if self.user_can_authenticate(user) else None

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
