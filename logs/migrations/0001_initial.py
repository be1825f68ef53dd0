"""The permission `logs.view_log`, and no table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Make the model known; its rows are in DynamoDB."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Log",
            fields=[("id", models.CharField(max_length=32, primary_key=True, serialize=False))],
            options={
                "verbose_name": "log",
                "verbose_name_plural": "logs",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
    ]
