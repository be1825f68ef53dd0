"""The examples of docs/sending-examples.md send the log that the page describes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ingest.writing.summary import derive
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "sending-examples.md").read_text()
SCHEMA = json.loads((ROOT / "docs" / "message.schema.json").read_text())
LOG: dict[str, Any] = {
    "account_id": 7,
    "account_name": "Nordwind GmbH",
    "user_id": 12,
    "user_name": "Anna Petrova",
    "type": "invoice",
    "sub_type": "paid",
    "url": "/invoices/4711/pay",
    "submitter_id": 12,
    "submitter_ip": "203.0.113.7",
    "request_id": "7c1e9d52-6f0b-4f0e-9a59-3f3f0a3d8b11",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "object_type": "invoice",
    "object_id": 4711,
    "object_name": "Invoice 4711",
    "payload": {"changes": {"status": ["sent", "paid"]}},
}
# The example of PHP reads these values at run time.
PHP_VALUES = LOG | {
    "id": "7c1e9d526f0b4f0e9a593f3f0a3d8b11",
    "created_at": "2026-11-23T22:44:00.000000+00:00",
    "submitter_agent": "curl/8.5.0",
}

# A project of Django: the settings and the view of the page are added.
SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "shop"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
MODELS = """
from django.db import models

class Invoice(models.Model):
    account_id = models.IntegerField()
    account_name = models.TextField()
    status = models.TextField()

    def __str__(self):
        return f"Invoice {self.pk}"
"""
URLS = """
from django.urls import path
from shop import views

urlpatterns = [path("invoices/<int:number>/pay", views.pay)]
"""
REQUEST = """
import json, sys
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from ingest.django import client
from shop.models import Invoice

call_command("migrate", run_syncdb=True, verbosity=0)
user = User.objects.create_user("Anna Petrova", pk=12)
Invoice.objects.create(pk=4711, account_id=7, account_name="Nordwind GmbH", status="sent")
browser = Client(headers=json.loads(sys.argv[1]), REMOTE_ADDR="203.0.113.7")
browser.force_login(user)
assert browser.post("/invoices/4711/pay").status_code == 204
assert Invoice.objects.get().status == "paid"
assert client().flush(10)
"""
# The SDK of AWS is no dependency. This fake prints the command instead of sending it.
NODE_SDK = """
export class SendMessageCommand { constructor(input) { this.input = input } }
export class SQSClient {
  async send(command) {
    if (process.env.FAIL) throw new Error("no connection")
    console.log(JSON.stringify(command.input))
  }
}
"""
PHP_TOKEN = re.compile(r"\s*(?:(=>|[\[\],])|'((?:[^'\\]|\\.)*)'|(\d+))")


def example(heading: str, number: int = 0) -> str:
    """Return a code block below a heading of the page."""
    blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```", _section(heading), re.MULTILINE | re.DOTALL)
    return blocks[number]


def _section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def check(body: str | dict[str, Any], **changes: Any) -> None:
    """Check that a message is valid and holds LOG with these changes."""
    log = json.loads(body) if isinstance(body, str) else body
    jsonschema.validate(log, SCHEMA)
    assert (LOG | changes).items() <= log.items()
    assert {"id", "created_at"} <= log.keys() <= SCHEMA["properties"].keys()
    assert derive(log["payload"]) == "status: sent → paid"


def test_python_example_sends_its_log(queues: Queues) -> None:
    exec(example("Python"), {"__name__": "pay"})  # noqa: S102  the example

    [body] = queues.bodies()
    check(body)


def test_python_example_names_a_wrong_field(queues: Queues) -> None:
    source = example("Python").replace('type="invoice"', 'type=""', 1)

    with pytest.raises(SystemExit, match=r"^the log is not valid: type: must be a non-empty text"):
        exec(source, {"__name__": "pay"})  # noqa: S102  the example
    assert queues.bodies() == []


def test_django_example_sends_its_log(queues: Queues, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for name, text in {
        "project.py": SETTINGS + example("Django", 0),
        "shop/__init__.py": "",
        "shop/models.py": MODELS,
        "shop/urls.py": URLS,
        "shop/views.py": example("Django", 1),
    }.items():
        (tmp_path / name).write_text(text)
    trace = f"00-{LOG['trace_id']}-00f067aa0ba902b7-01"
    headers = json.dumps({"X-Request-ID": LOG["request_id"], "traceparent": trace})
    environment = {"DJANGO_SETTINGS_MODULE": "project", "PYTHONPATH": f"{tmp_path}:{ROOT}"}

    subprocess.run(
        [sys.executable, "-c", REQUEST, headers], env=os.environ | environment, check=True, timeout=60
    )

    [body] = queues.bodies()
    check(body)


@pytest.fixture
def node_example(tmp_path: Path) -> Path:
    """Write the example of Node beside a fake of its SDK."""
    package = tmp_path / "node_modules" / "@aws-sdk" / "client-sqs"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
    (package / "index.js").write_text(NODE_SDK)
    path = tmp_path / "pay.mjs"
    path.write_text(example("Node"))
    return path


def run_node(path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["node", path], env=os.environ | environment, capture_output=True, text=True, check=True, timeout=60
    )


def test_node_example_sends_its_log(node_example: Path) -> None:
    process = run_node(node_example, LOGS_QUEUE_URL="https://queue")

    message = json.loads(process.stdout)
    assert message.keys() == {"QueueUrl", "MessageBody"}
    assert message["QueueUrl"] == "https://queue"
    check(message["MessageBody"])


def test_node_example_survives_an_outage(node_example: Path) -> None:
    process = run_node(node_example, LOGS_QUEUE_URL="https://queue", FAIL="1")

    assert re.fullmatch(r"log [0-9a-f-]{36} was not sent: Error: no connection\n", process.stderr)


def test_php_example_builds_a_valid_log() -> None:
    array = re.search(r"^\$log = \[\n(.+?)^\];", example("PHP"), re.MULTILINE | re.DOTALL)
    assert array is not None
    members = re.findall(r"^    '(\w+)' => (.+),$", array[1], re.MULTILINE)
    assert len(members) == array[1].count("\n")

    log = {name: PHP_VALUES[name] if re.search(r"[$(]", code) else parse_php(code) for name, code in members}

    check(log)
    assert log["submitter_agent"] == PHP_VALUES["submitter_agent"]


def parse_php(code: str) -> Any:
    """Return the value of a literal of PHP."""
    tokens = PHP_TOKEN.finditer(code)
    value = _php_value(tokens)
    assert next(tokens, None) is None
    return value


def _php_value(tokens: "Iterator[re.Match[str]]") -> Any:
    sign, text, number = next(tokens).groups()
    if sign != "[":
        return int(number) if number else text
    items: list[Any] = []
    members: dict[str, Any] = {}
    while True:
        value = _php_value(tokens)
        sign = next(tokens)[1]
        if sign == "=>":
            members[value] = _php_value(tokens)
            sign = next(tokens)[1]
        else:
            items.append(value)
        if sign == "]":
            return members or items


def test_php_example_has_balanced_brackets() -> None:
    code = re.sub(r"'(?:[^'\\]|\\.)*'|//.*", "", example("PHP"))
    assert [code.count(each) for each in "([{"] == [code.count(each) for each in ")]}"]
