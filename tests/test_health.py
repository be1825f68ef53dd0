"""`/healthz` responds without a login and reveals nothing else."""

import pytest
from django.test import Client, override_settings

from tests.dynamodb_calls import recorded_calls


@pytest.mark.parametrize("host", ["testserver", "abc123.execute-api.eu-central-1.amazonaws.com", "10.0.0.7"])
def test_health_check_accepts_any_host(host: str) -> None:
    response = Client().get("/healthz", headers={"Host": host})
    assert (response.status_code, response.content) == (200, b"ok")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_other_pages_check_the_host() -> None:
    assert Client().get("/admin/login/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_health_check_works_with_a_stage_prefix() -> None:
    with override_settings(FORCE_SCRIPT_NAME="/dev"):
        assert Client().get("/healthz").content == b"ok"


def test_health_check_reads_nothing_from_dynamodb(viewer_client: Client) -> None:
    with recorded_calls() as calls:
        assert viewer_client.get("/healthz").status_code == 200
    assert calls == []


def test_health_check_allows_only_reading() -> None:
    assert Client().head("/healthz").status_code == 200
    response = Client().post("/healthz")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
