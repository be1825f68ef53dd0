"""The permission `logs.share_views`."""

from django.apps import apps
from django.db import migrations


class Migration(migrations.Migration):
    """Add the permission; no table changes."""

    # A project may have given the app another label.
    dependencies = [(apps.get_containing_app_config(__name__).label, "0002_replay_dead_letters")]  # type: ignore[union-attr]  # it is installed
    operations = [
        migrations.AlterModelOptions(
            name="log",
            options={
                "verbose_name": "log",
                "verbose_name_plural": "logs",
                "managed": False,
                "default_permissions": ("view",),
                "permissions": [
                    ("replay_dead_letters", "Can replay, correct and discard dead letters"),
                    ("share_views", "Can share saved views, and change shared ones"),
                ],
            },
        ),
    ]
