"""Views that change objects and sign users in, without a call of Logsite."""

from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from tests.host.shop.models import Invoice, Tag


def create(request: HttpRequest) -> HttpResponse:
    """Create an invoice, then change it."""
    invoice = Invoice.objects.create(number="4711", total=10, api_token="a-secret-token")
    invoice.total = 12
    invoice.save()
    return HttpResponse(invoice.pk)


def tag(request: HttpRequest) -> HttpResponse:
    """Add tags to the first invoice, remove one, and clear them."""
    invoice = Invoice.objects.get()
    red, blue = Tag.objects.create(name="red"), Tag.objects.create(name="blue")
    invoice.tags.add(red, blue)
    invoice.tags.remove(red)
    invoice.tags.clear()
    return HttpResponse()


def fail(request: HttpRequest) -> HttpResponse:
    """Create an invoice in a transaction that is rolled back."""
    with transaction.atomic():
        Invoice.objects.create(number="never")
        transaction.set_rollback(True)
    return HttpResponse()


async def acreate(request: HttpRequest) -> HttpResponse:
    """Create an invoice in an async view."""
    await request.auser()
    invoice = await Invoice.objects.acreate(number="4712")
    return HttpResponse(invoice.pk)


def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with the name and the password of a form."""
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=403)
    login(request, user)
    return HttpResponse()


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    logout(request)
    return HttpResponse()
