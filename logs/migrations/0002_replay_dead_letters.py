"""The permission `logs.replay_dead_letters`."""

from django.db import migrations


class Migration(migrations.Migration):
    """Add the permission; no table changes."""

    dependencies = [("logs", "0001_initial")]
    operations = [
        migrations.AlterModelOptions(
            name="log",
            options={
                "verbose_name": "log",
                "verbose_name_plural": "logs",
                "managed": False,
                "default_permissions": ("view",),
                "permissions": [("replay_dead_letters", "Can replay, correct and discard dead letters")],
            },
        ),
    ]
