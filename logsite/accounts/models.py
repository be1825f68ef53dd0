"""The user model: Django's in every respect but one, its rows lie in DynamoDB."""

from collections.abc import Iterable
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth import models as auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import DatabaseError, IntegrityError, NotSupportedError, models
from django.db.models.base import ModelBase
from django.utils import timezone
from pynamodb.expressions.update import Action

from logsite.accounts.store import UserItem, refused_as

USERNAME_LENGTH = 150


class UserManager(auth.UserManager["User"]):
    """Finds a user by name, and makes new ones as Django's own manager does."""

    def get(self, *args: Any, **kwargs: Any) -> "User":
        """Return the user of that `username` or `pk`, read consistently.

        Raises User.DoesNotExist, and NotSupportedError for any other lookup.
        """
        if args or set(kwargs) not in ({"username"}, {"pk"}):
            return self.get_queryset().get(*args, **kwargs)
        username = self.model.normalize_username(*kwargs.values())
        # DynamoDB refuses an empty key and one over 2,048 bytes: no user has such a name.
        if not isinstance(username, str) or not 0 < len(username) <= USERNAME_LENGTH:
            raise self.model.DoesNotExist
        try:
            item = UserItem.get(username, consistent_read=True)
        except UserItem.DoesNotExist as error:
            raise self.model.DoesNotExist from error
        names = self.model.field_names()
        return self.model.from_db(self.db, names, [getattr(item, name) for name in names])

    async def aget(self, *args: Any, **kwargs: Any) -> "User":
        """Do what `get` does, for asynchronous views."""
        return await sync_to_async(self.get)(*args, **kwargs)

    def using(self, alias: str | None) -> "UserManager":  # type: ignore[override]  # no query set to return
        """Return the manager itself: `changepassword` names a database, and there is but one table."""
        return self

    def get_queryset(self) -> models.QuerySet["User"]:
        """Refuse every query that `get` does not answer, instead of asking SQL for it.

        Raises NotSupportedError.
        """
        raise NotSupportedError("Users are in DynamoDB: they can be got by username or pk, not queried.")


class User(AbstractBaseUser, auth.PermissionsMixin):
    """Someone who may sign in. What staff may see is said by `permissions`; a superuser may see all."""

    # None is how Django leaves out an inherited field. These two are tables of SQL.
    groups = None  # type: ignore[assignment]  # see above
    user_permissions = None  # type: ignore[assignment]  # see above

    username = models.CharField(
        max_length=USERNAME_LENGTH, primary_key=True, validators=[UnicodeUsernameValidator()]
    )
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # Names such as "logs.view_log". No SQL type fits a set, and none is needed.
    permissions: "models.Field[set[str], set[str]]" = models.Field(default=set, editable=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        managed = False
        default_permissions = ()
        # Django's own look-ups (refresh_from_db) meet the manager's refusal too.
        base_manager_name = "objects"

    @classmethod
    def field_names(cls) -> list[str]:
        """Return the names of the fields, which are the attributes of UserItem too."""
        return [field.attname for field in cls._meta.concrete_fields]

    def save_base(
        self,
        raw: bool = False,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write what `save` was asked to write: the whole of a new user, the named fields of a known one.

        Raises IntegrityError where a new user's name is taken, DatabaseError where a known user has been
        deleted meanwhile: both are conditions of the write, so two at once cannot both succeed.
        """
        if force_insert or (self._state.adding and not force_update and not update_fields):
            item = UserItem(**{name: getattr(self, name) for name in self.field_names()})
            with refused_as(IntegrityError(f"The username {self.username} is taken.")):
                item.save(UserItem.username.does_not_exist())
            self._state.adding = False
            return
        names = update_fields or set(self.field_names()) - {"username"}
        with refused_as(DatabaseError(f"The user {self.username} has been deleted.")):
            UserItem(self.username).update([self._update(name) for name in names], UserItem.username.exists())

    def _update(self, name: str) -> Action:
        attribute, value = getattr(UserItem, name), getattr(self, name)
        # In DynamoDB an empty set, as a time that never was, is an attribute that is not there.
        action: Action = attribute.remove() if value is None or value == set() else attribute.set(value)
        return action

    def delete(self, using: Any | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the row; the user's sessions are worth nothing from then on. Return what Django returns."""
        UserItem(self.username).delete()
        return 1, {self._meta.label: 1}
