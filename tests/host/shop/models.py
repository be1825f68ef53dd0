"""Models whose changes are captured.

Their managers are declared for mypy, which uses the site's settings, not the host's.
"""

from django.db import models


class Tag(models.Model):
    """The other side of a relation."""

    name = models.CharField(max_length=50)
    objects: models.Manager["Tag"] = models.Manager()

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    """An ordinary model, with a secret and a relation."""

    number = models.CharField(max_length=50)
    note = models.CharField(max_length=50, null=True)  # noqa: DJ001  None must differ from an empty text
    total = models.IntegerField(default=0)
    api_token = models.CharField(max_length=50, default="")
    account = models.IntegerField(default=0)
    tags = models.ManyToManyField(Tag, related_name="invoices")
    objects: models.Manager["Invoice"] = models.Manager()

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"Invoice {self.number}"


class ProxyInvoice(Invoice):
    """A proxy model: its objects are invoices."""

    class Meta:
        app_label = "shop"
        proxy = True


class ApiToken(models.Model):
    """A model that has a secret as its primary key and in its name."""

    token = models.CharField(max_length=50, primary_key=True)
    objects: models.Manager["ApiToken"] = models.Manager()

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"Token {self.token}"
