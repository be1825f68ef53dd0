"""The login form of the admin."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError


class LoginForm(AdminAuthenticationForm):
    """Django's form. If a user who is not staff fails to sign in, a signal says so."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Raise ValidationError unless the user is active and staff. The password was right."""
        try:
            super().confirm_login_allowed(user)  # type: ignore[arg-type]  # the stubs name the concrete model
        except ValidationError:
            credentials = {"username": user.get_username()}
            user_login_failed.send(sender=__name__, credentials=credentials, request=self.request)
            raise
