"""Users as rows of DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.db import DatabaseError, IntegrityError, NotSupportedError

from logsite.accounts.models import User
from logsite.accounts.store import UserItem
from tests.conftest import PASSWORD, a_user


def stored(user: User) -> User:
    """Read the user again."""
    return User.objects.get(pk=user.pk)


def test_a_row_holds_the_fields_of_the_model() -> None:
    assert set(UserItem.get_attributes()) == set(User.field_names())


def test_what_is_saved_is_read(viewer: User) -> None:
    again = stored(viewer)

    assert [getattr(again, name) for name in User.field_names()] == [
        getattr(viewer, name) for name in User.field_names()
    ]


def test_of_two_who_take_a_name_at_once_one_gets_it() -> None:
    username = f"race-{uuid4().hex[:12]}"
    start = Barrier(8)

    def take(number: int) -> str | None:
        start.wait()
        try:
            return User.objects.create_user(username, f"{number}@example.com").email
        except IntegrityError:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [email for email in pool.map(take, range(8)) if email]

    assert winners == [User.objects.get(username=username).email]


def test_saving_some_fields_leaves_the_others_as_they_are(viewer: User) -> None:
    copy = stored(viewer)
    viewer.is_active = False
    viewer.save(update_fields=["is_active"])

    copy.email = "new@example.com"
    copy.save(update_fields=["email"])

    assert stored(viewer).is_active is False
    assert stored(viewer).email == "new@example.com"


def test_the_last_permission_can_be_taken_away(viewer: User) -> None:
    viewer.permissions = set()
    viewer.save()

    assert stored(viewer).permissions == set()


def test_saving_a_deleted_user_does_not_bring_them_back(viewer: User) -> None:
    copy = stored(viewer)
    viewer.delete()

    with pytest.raises(DatabaseError, match="has been deleted"):
        copy.save()
    with pytest.raises(User.DoesNotExist):
        stored(viewer)


def test_updating_a_user_who_was_never_made_makes_none() -> None:
    with pytest.raises(DatabaseError):
        User(username="never-made").save(update_fields=["email"])
    with pytest.raises(User.DoesNotExist):
        User.objects.get(username="never-made")


def test_queries_that_would_need_sql_are_refused_in_words(viewer: User) -> None:
    for query in (
        lambda: User.objects.all(),
        lambda: User.objects.filter(is_staff=True),
        lambda: User.objects.get(email="viewer@example.com"),
        lambda: User.objects.count(),
        viewer.refresh_from_db,
    ):
        with pytest.raises(NotSupportedError, match="Users are in DynamoDB"):
            query()


def test_a_user_has_the_permissions_of_their_row_and_no_others(viewer: User, staff: User) -> None:
    assert viewer.get_all_permissions() == {"logs.view_log"}
    assert viewer.has_perm("logs.view_log")
    assert viewer.has_module_perms("logs")
    assert not viewer.has_perm("logs.delete_log")
    assert not viewer.has_module_perms("accounts")
    assert staff.get_all_permissions() == set()
    assert not staff.has_module_perms("logs")


def test_a_superuser_has_every_permission(superuser: User) -> None:
    assert superuser.has_perm("logs.view_log")
    assert superuser.has_module_perms("logs")


def test_an_inactive_user_has_no_permission() -> None:
    for role in ({"is_superuser": True}, {"permissions": {"logs.view_log"}}):
        user = a_user("gone", is_active=False, **role)

        assert not user.has_perm("logs.view_log")
        assert not user.has_module_perms("logs")


def test_asynchronous_views_can_do_the_same(viewer: User) -> None:
    user = async_to_sync(aauthenticate)(username=viewer.username, password=PASSWORD)

    assert user == viewer
    assert async_to_sync(viewer.ahas_perm)("logs.view_log")
    assert async_to_sync(viewer.aget_all_permissions)() == {"logs.view_log"}
