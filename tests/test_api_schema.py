"""The OpenAPI schema is true: schemathesis asks what it allows and what it forbids."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from logs.forms import FilterForm
from logsite.accounts import tokens
from tests.api import fetch, program
from tests.items import make_item, store

EXAMPLES = 60
# What no schema can say: `from` before `to`, one of `at`, `around` and `cursor`, a cursor that is signed.
NOT_SAID = ["positive_data_acceptance"]

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,  # the machines are noisy
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def served(logs_table: None, settings: Any) -> schemathesis.BaseSchema:
    """Return the schema as the site serves it; a request without limits is let in by a token."""
    settings.LOGS_API_REQUESTS_PER_MINUTE = settings.LOGS_API_EXAMINED_PER_MINUTE = 10**9
    store(make_item(n, account_id=str(n % 3), payload='{"a":1}', payload_type="json") for n in range(60))
    # Uncompressed: schemathesis reads what comes through WSGI as it comes.
    headers = {
        "Authorization": f"Bearer {tokens.create(f'test-{uuid4().hex}')}",
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
        ("/api/logs/{log_id}", GenerationMode.POSITIVE),  # every text is allowed there
    ],
)
def test_api_conforms_to_its_schema(
    served: schemathesis.BaseSchema, place: str, mode: GenerationMode
) -> None:
    statuses: Counter[int] = Counter()

    @bounded
    @given(case=served[place]["GET"].as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        not_said: Any = CHECKS.get_by_names(NOT_SAID)
        answer = case.call_and_validate(excluded_checks=not_said)
        statuses[answer.status_code] += 1

    check()
    assert sum(statuses.values()) >= EXAMPLES // 2
    assert set(statuses) <= {200, 400, 404}


def test_schema_lists_every_filter_and_error() -> None:
    described = fetch(program(), "/api/openapi.json")
    assert set(described["paths"]) == {"/api/logs", "/api/logs/{log_id}"}
    for operations in described["paths"].values():
        assert set(operations) == {"get"}
        assert set(operations["get"]["responses"]) >= {
            "200", "400", "401", "403", "404", "405", "429", "500", "503"
        }  # fmt: skip
    named = [parameter["name"] for parameter in described["paths"]["/api/logs"]["get"]["parameters"]]
    assert named == list(FilterForm.base_fields)
    assert described["components"]["securitySchemes"]["TokenAuth"] == {"type": "http", "scheme": "bearer"}


def test_docs_require_login_and_load_no_external_files(viewer_client: Client, staff_client: Client) -> None:
    assert Client().get("/api/docs").headers["Location"].startswith("/admin/login/")
    assert staff_client.get("/api/docs").status_code == 403
    page = viewer_client.get("/api/docs").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert '"/api/openapi.json"' in page
    assert "http" not in page
