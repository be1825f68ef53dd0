"""The URLs of the shop."""

from django.urls import path

from tests.host.shop import views

urlpatterns = [
    path("create", views.create),
    path("create/é", views.create),
    path("acreate", views.acreate),
    path("tag", views.tag),
    path("fail", views.fail),
    path("sign-in", views.sign_in),
    path("sign-out", views.sign_out),
]
