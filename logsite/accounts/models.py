"""Django's user model, stored in DynamoDB."""

from collections.abc import Iterable
from copy import copy
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth import models as auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import DatabaseError, IntegrityError, NotSupportedError, models
from django.db.models.base import ModelBase
from django.utils import timezone
from pynamodb.expressions.update import Action

from logsite.accounts import signals
from logsite.accounts.store import UserItem, conditional_write

USERNAME_LENGTH = 150
# A sign-in writes its own time. That is no change of the user.
SIGN_IN_TIME = "last_login"


class UserManager(auth.UserManager["User"]):
    """A manager that gets users by name and creates them as Django's own does."""

    def get(self, *args: Any, **kwargs: Any) -> "User":
        """Return the user with this `username` or `pk`, by a consistent read.

        Raise User.DoesNotExist, and NotSupportedError for any other lookup.
        """
        if args or set(kwargs) not in ({"username"}, {"pk"}):
            return self.get_queryset().get(*args, **kwargs)
        username = self.model.normalize_username(*kwargs.values())
        # DynamoDB rejects an empty key and a key over 2,048 bytes, so no user has such a name.
        if not isinstance(username, str) or not 0 < len(username) <= USERNAME_LENGTH:
            raise self.model.DoesNotExist
        try:
            item = UserItem.get(username, consistent_read=True)
        except UserItem.DoesNotExist as error:
            raise self.model.DoesNotExist from error
        return self.from_item(item)

    def from_item(self, item: UserItem) -> "User":
        """Return the user of an item."""
        names = self.model.field_names()
        user = self.model.from_db(self.db, names, [getattr(item, name) for name in names])
        user.remember(names)
        return user

    async def aget(self, *args: Any, **kwargs: Any) -> "User":
        """Return the user as `get` does, for asynchronous views."""
        return await sync_to_async(self.get)(*args, **kwargs)

    def using(self, alias: str | None) -> "UserManager":  # type: ignore[override]  # no query set to return
        """Return the manager itself: `changepassword` names a database, but there is only one table."""
        return self

    def get_queryset(self) -> models.QuerySet["User"]:
        """Raise NotSupportedError, because there is no SQL database to query."""
        raise NotSupportedError(
            "Users are in DynamoDB: get one by username or pk, queries are not supported."
        )


class User(AbstractBaseUser, auth.PermissionsMixin):
    """A user of the site. Staff have the rights in `permissions`, superusers have all."""

    # None removes an inherited field. These two would be SQL tables.
    groups = None  # type: ignore[assignment]  # see above
    user_permissions = None  # type: ignore[assignment]  # see above

    username = models.CharField(
        max_length=USERNAME_LENGTH, primary_key=True, validators=[UnicodeUsernameValidator()]
    )
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # Names such as "logs.view_log". A plain Field, because no SQL type is needed for a set.
    permissions: "models.Field[set[str], set[str]]" = models.Field(default=set, editable=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        managed = False
        default_permissions = ()
        # Django's own lookups, such as refresh_from_db, raise NotSupportedError too.
        base_manager_name = "objects"

    @classmethod
    def field_names(cls) -> list[str]:
        """Return the names of the fields. UserItem has attributes of the same names."""
        return [field.attname for field in cls._meta.concrete_fields]

    def save_base(
        self,
        raw: bool = False,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write a whole new user, or the named fields of an existing one.

        The default is the changed fields: writing all would restore rights that somebody has withdrawn since
        the user was read, and the site's role may not write them. Raise IntegrityError if a new user's name
        exists, DatabaseError if an existing user has been deleted. Both are conditions of the write, so two
        writes at once cannot both succeed.
        """
        if force_insert or (self._state.adding and not force_update and not update_fields):
            item = UserItem(**{name: getattr(self, name) for name in self.field_names()})
            with conditional_write(IntegrityError(f"The username {self.username} is taken.")):
                item.save(UserItem.username.does_not_exist())
            self._state.adding = False
            self.remember(self.field_names())
            signals.user_created.send_robust(sender=User, user=self)
            return
        # Without a change, a harmless write checks that the user exists.
        names = list(update_fields or self._changed_fields() or [SIGN_IN_TIME])
        with conditional_write(DatabaseError(f"The user {self.username} has been deleted.")):
            UserItem(self.username).update([self._update(name) for name in names], UserItem.username.exists())
        self.remember(names)
        # Django upgrades the hash of a password at a sign-in. `set_password` alone sets `_password`.
        unchanged = {SIGN_IN_TIME} if getattr(self, "_password", None) else {SIGN_IN_TIME, "password"}
        if fields := sorted(set(names) - unchanged):
            signals.user_changed.send_robust(sender=User, user=self, fields=fields)

    def remember(self, names: Iterable[str]) -> None:
        """Remember that these fields are stored as they are now."""
        stored = {name: copy(getattr(self, name)) for name in names}
        self._stored = {**getattr(self, "_stored", {}), **stored}

    def _changed_fields(self) -> list[str]:
        """Return the names of the fields that differ from the stored ones."""
        stored = getattr(self, "_stored", {})
        names = [name for name in self.field_names() if name != "username"]
        return [name for name in names if name not in stored or stored[name] != getattr(self, name)]

    def _update(self, name: str) -> Action:
        attribute, value = getattr(UserItem, name), getattr(self, name)
        # DynamoDB has no empty sets. An empty set and None are stored as a missing attribute.
        action: Action = attribute.remove() if value is None or value == set() else attribute.set(value)
        return action

    def delete(self, using: Any | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the user, which invalidates their sessions; return the counts as Django does."""
        UserItem(self.username).delete()
        signals.user_deleted.send_robust(sender=User, user=self)
        return 1, {self._meta.label: 1}
