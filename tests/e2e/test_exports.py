"""An export that does not fit into a response: site, function, bucket and their roles."""

import gzip
import json
import re
import urllib.request
import uuid

from tests.e2e.browser import Browser
from tests.e2e.deployment import EmulatedDeployment, make_log, wait_until
from tests.e2e.test_roles import is_denied
from tests.noise import noise

FUNCTION = "logsite-dev-exports"


def test_large_export_is_downloaded_from_the_bucket(deployment: EmulatedDeployment, admin: Browser) -> None:
    account = uuid.uuid4().hex
    # A response holds 5 MB.
    logs = [make_log(account_id=account, payload=noise(750_000)) for _ in range(7)]
    for log in logs:
        deployment.send(log)
    wait_until(lambda: all(deployment.has_log(log["id"]) for log in logs), "the logs are stored")
    address = f"admin/logs/log/export/?account_id={account}"
    match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', admin.get(address).text)
    assert match
    form = {"csrfmiddlewaretoken": match[1], "format": "ndjson", "columns": "all", "payloads": "on"}
    started = admin.post(address, form)
    assert started.status == 302, started.text
    page = str(started.headers["Location"])
    wait_until(lambda: "<b>Done</b>: 7 rows" in admin.get(page).text, "the export is done")
    url = str(admin.get(f"{page}file/", follow=False).headers["Location"])
    assert "Expires=300" in url
    with urllib.request.urlopen(url) as response:
        *rows, last = map(json.loads, gzip.decompress(response.read()).splitlines())
    assert {row["id"]: row["payload"] for row in rows} == {log["id"]: log["payload"] for log in logs}
    assert last["_logsite"]["complete"] is True


def test_exports_role_cannot_change_logs_or_read_users(deployment: EmulatedDeployment) -> None:
    outputs = deployment.outputs
    bucket, key = outputs["ExportsBucketName"], {"id": {"S": "0" * 32}}
    with deployment.iam_user(deployment.role_policy(FUNCTION)) as exports:
        dynamodb, s3 = exports("dynamodb"), exports("s3")
        dynamodb.get_item(TableName=outputs["LogsTableName"], Key=key)
        s3.put_object(Bucket=bucket, Key="parts/a/1-0", Body=b"x")
        assert is_denied(dynamodb.put_item, TableName=outputs["LogsTableName"], Item=key)
        users = {"TableName": outputs["UsersTableName"], "Key": {"username": {"S": "root"}}}
        assert is_denied(dynamodb.get_item, **users)
        assert is_denied(exports("ssm").get_parameter, Name="/logsite/dev/secret-key")
        assert is_denied(s3.put_object, Bucket=bucket, Key="a", Body=b"x")
        assert is_denied(s3.delete_object, Bucket=bucket, Key="parts/a/1-0")
    with deployment.iam_user(deployment.role_policy("logsite-dev")) as site:
        assert is_denied(site("s3").put_object, Bucket=bucket, Key="files/a", Body=b"x")
        assert is_denied(site("s3").get_object, Bucket=bucket, Key="parts/a/1-0")
