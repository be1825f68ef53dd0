"""Users as items of DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.db import DatabaseError, IntegrityError, NotSupportedError

from logsite.accounts.models import User
from logsite.accounts.store import UserItem
from tests.conftest import PASSWORD, make_user


def reload(user: User) -> User:
    """Read the user again."""
    return User.objects.get(pk=user.pk)


def test_item_has_the_fields_of_the_model() -> None:
    assert set(UserItem.get_attributes()) == set(User.field_names())


def test_saved_user_is_reloaded_unchanged(viewer: User) -> None:
    again = reload(viewer)

    assert [getattr(again, name) for name in User.field_names()] == [
        getattr(viewer, name) for name in User.field_names()
    ]


def test_concurrent_creation_has_one_winner() -> None:
    username = f"race-{uuid4().hex[:12]}"
    start = Barrier(8)

    def create(number: int) -> str | None:
        start.wait()
        try:
            return User.objects.create_user(username, f"{number}@example.com").email
        except IntegrityError:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [email for email in pool.map(create, range(8)) if email]

    assert winners == [User.objects.get(username=username).email]


def test_saving_writes_changed_fields_only(viewer: User) -> None:
    stale = reload(viewer)
    viewer.is_active = False
    viewer.permissions = set()
    viewer.save()

    stale.set_password("another quiet sentence")
    stale.save()

    assert reload(viewer).is_active is False
    assert reload(viewer).permissions == set()
    assert reload(viewer).check_password("another quiet sentence")


def test_field_left_out_of_a_save_is_saved_later(viewer: User) -> None:
    user = reload(viewer)
    user.email, user.is_active = "new@example.com", False
    user.permissions.add("logs.other")
    user.save(update_fields=["email"])
    user.save()

    again = reload(viewer)
    assert (again.email, again.is_active) == ("new@example.com", False)
    assert "logs.other" in again.permissions


def test_saving_some_fields_keeps_the_others(viewer: User) -> None:
    copy = reload(viewer)
    viewer.is_active = False
    viewer.save(update_fields=["is_active"])

    copy.email = "new@example.com"
    copy.save(update_fields=["email"])

    assert reload(viewer).is_active is False
    assert reload(viewer).email == "new@example.com"


def test_last_permission_can_be_removed(viewer: User) -> None:
    viewer.permissions = set()
    viewer.save()

    assert reload(viewer).permissions == set()


def test_deleted_user_is_not_restored(viewer: User) -> None:
    copy = reload(viewer)
    viewer.delete()

    with pytest.raises(DatabaseError, match="has been deleted"):
        copy.save()
    with pytest.raises(User.DoesNotExist):
        reload(viewer)


def test_updating_a_missing_user_creates_none() -> None:
    with pytest.raises(DatabaseError):
        User(username="no-such-user").save(update_fields=["email"])
    with pytest.raises(User.DoesNotExist):
        User.objects.get(username="no-such-user")


def test_queries_are_not_supported(viewer: User) -> None:
    for query in (
        lambda: User.objects.all(),
        lambda: User.objects.filter(is_staff=True),
        lambda: User.objects.get(email="viewer@example.com"),
        lambda: User.objects.count(),
        viewer.refresh_from_db,
    ):
        with pytest.raises(NotSupportedError, match="Users are in DynamoDB"):
            query()


def test_user_has_only_the_stored_permissions(viewer: User, staff: User) -> None:
    assert viewer.get_all_permissions() == {"logs.view_log"}
    assert viewer.has_perm("logs.view_log")
    assert viewer.has_module_perms("logs")
    assert not viewer.has_perm("logs.delete_log")
    assert not viewer.has_module_perms("accounts")
    assert staff.get_all_permissions() == set()
    assert not staff.has_module_perms("logs")


def test_superuser_has_every_permission(superuser: User) -> None:
    assert superuser.has_perm("logs.view_log")
    assert superuser.has_module_perms("logs")


def test_inactive_user_has_no_permission() -> None:
    for role in ({"is_superuser": True}, {"permissions": {"logs.view_log"}}):
        user = make_user("inactive", is_active=False, **role)

        assert not user.has_perm("logs.view_log")
        assert not user.has_module_perms("logs")


def test_async_methods_read_the_same_user(viewer: User) -> None:
    user = async_to_sync(aauthenticate)(username=viewer.username, password=PASSWORD)

    assert user == viewer
    assert async_to_sync(viewer.ahas_perm)("logs.view_log")
    assert async_to_sync(viewer.aget_all_permissions)() == {"logs.view_log"}
