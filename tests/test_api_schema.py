"""The API conforms to its OpenAPI schema for valid and invalid requests."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from logs.api_form import API_NAMES
from logs.counts_form import CountsForm, GroupsForm
from logs.list_form import ListForm
from logsite.accounts import tokens
from tests.api import fetch, program, token_name
from tests.items import make_item, store

EXAMPLES = 60
# A schema cannot express that `from` is before `to`, that `at`, `around` and `cursor` exclude one another,
# and that a cursor is signed.
UNCHECKED = ["positive_data_acceptance"]

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,  # Timings vary with the load of the machine.
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def api_schema(logs_table: None, settings: Any) -> schemathesis.BaseSchema:
    """Return the schema that the site serves, with a token and without a rate limit."""
    for name in ("REQUESTS", "EXAMINED", "READ_UNITS"):
        setattr(settings, f"LOGS_API_{name}_PER_MINUTE", 10**9)
    store(make_item(n, account_id=str(n % 3), payload='{"a":1}', payload_type="json") for n in range(60))
    # schemathesis does not decompress a response from WSGI.
    headers = {
        "Authorization": f"Bearer {tokens.create(token_name())}",
        "Accept-Encoding": "identity",
    }
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app=get_wsgi_application(), headers=headers)
    schema.config.update(headers=headers)
    return schema


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        ("/api/logs", GenerationMode.POSITIVE),
        ("/api/logs", GenerationMode.NEGATIVE),
        ("/api/logs/counts", GenerationMode.POSITIVE),
        ("/api/logs/counts", GenerationMode.NEGATIVE),
        ("/api/logs/groups", GenerationMode.POSITIVE),
        ("/api/logs/groups", GenerationMode.NEGATIVE),
        ("/api/logs/{log_id}", GenerationMode.POSITIVE),  # Any text is a valid id.
    ],
)
def test_api_conforms_to_its_schema(
    api_schema: schemathesis.BaseSchema, place: str, mode: GenerationMode
) -> None:
    statuses: Counter[int] = Counter()

    @bounded
    @given(case=api_schema[place]["GET"].as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        unchecked: Any = CHECKS.get_by_names(UNCHECKED)
        response = case.call_and_validate(excluded_checks=unchecked)
        statuses[response.status_code] += 1

    check()
    assert sum(statuses.values()) >= EXAMPLES // 2
    assert set(statuses) <= {200, 400, 404}


def test_schema_lists_every_filter_and_error() -> None:
    schema = fetch(program(), "/api/openapi.json")
    assert set(schema["paths"]) == {
        "/api/logs",
        "/api/logs/counts",
        "/api/logs/groups",
        "/api/logs/{log_id}",
    }
    for operations in schema["paths"].values():
        assert set(operations) == {"get"}
        assert set(operations["get"]["responses"]) >= {
            "200", "400", "401", "403", "404", "405", "429", "500", "503"
        }  # fmt: skip
    for place, form in (("", ListForm), ("/counts", CountsForm), ("/groups", GroupsForm)):
        parameters = schema["paths"][f"/api/logs{place}"]["get"]["parameters"]
        names = [API_NAMES.get(name, name) for name in form.base_fields]
        assert [parameter["name"] for parameter in parameters] == names
    assert schema["components"]["securitySchemes"]["TokenAuth"] == {"type": "http", "scheme": "bearer"}


def test_docs_require_login_and_load_no_external_files(viewer_client: Client, staff_client: Client) -> None:
    assert Client().get("/api/docs").headers["Location"].startswith("/admin/login/")
    assert staff_client.get("/api/docs").status_code == 403
    page = viewer_client.get("/api/docs").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert '"/api/openapi.json"' in page
    assert "http" not in page
    assert '"validatorUrl": null' in page
