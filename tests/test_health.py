"""`/healthz` tells anybody that the site answers, and nothing else."""

import pytest
from django.test import Client, override_settings
from pynamodb.signals import pre_dynamodb_send


@pytest.mark.parametrize("host", ["testserver", "abc123.execute-api.eu-central-1.amazonaws.com", "10.0.0.7"])
def test_it_answers_without_signing_in_under_any_host(host: str) -> None:
    response = Client().get("/healthz", headers={"Host": host})
    assert (response.status_code, response.content) == (200, b"ok")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_any_other_page_asks_for_a_host_of_ours() -> None:
    assert Client().get("/admin/login/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_it_answers_under_a_stage() -> None:
    with override_settings(FORCE_SCRIPT_NAME="/dev"):
        assert Client().get("/healthz").content == b"ok"


def test_it_reads_nothing_from_dynamodb(viewer_client: Client) -> None:
    calls = []

    def note(sender: object, operation_name: str, **kwargs: object) -> None:
        calls.append(operation_name)

    with pre_dynamodb_send.connected_to(note):
        assert viewer_client.get("/healthz").status_code == 200
    assert calls == []


def test_it_can_only_be_read() -> None:
    assert Client().head("/healthz").status_code == 200
    response = Client().post("/healthz")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
