"""The host project with the admin of django-unfold, which has other styles than Django's."""

from tests.host.settings import *  # noqa: F403  the same project with one more app
from tests.host.settings import INSTALLED_APPS as SHARED_APPS

INSTALLED_APPS = ["unfold", *SHARED_APPS]
