"""The site and its API behind API Gateway."""

import re

from tests.e2e.browser import Browser
from tests.e2e.conftest import PASSWORD, USERNAME
from tests.e2e.deployment import EmulatedDeployment, make_log, wait_until


def test_root_redirects_to_login_below_stage_prefix(browser: Browser) -> None:
    first = browser.get("", follow=False)
    assert first.status == 302
    assert first.headers["Location"] == "/dev/admin/logs/log/"
    page = browser.get("")
    assert page.status == 200
    assert page.url.startswith(f"{browser.address}admin/login/?next=/dev/admin/logs/log/")


def test_sign_in_shows_listing_until_sign_out(browser: Browser) -> None:
    page = browser.sign_in(USERNAME, PASSWORD)
    assert page.url == f"{browser.address}admin/logs/log/"
    assert page.status == 200
    assert 'id="changelist"' in page.text
    token = browser.cookies["csrftoken"]
    browser.post("admin/logout/", {"csrfmiddlewaretoken": token})
    assert "/login/" in browser.get("admin/logs/log/").url


def test_cookies_are_secure_and_limited_to_the_stage(browser: Browser) -> None:
    response = browser.get("admin/login/")
    [cookie] = {
        value for value in response.headers.get_all("Set-Cookie", []) if value.startswith("csrftoken")
    }
    assert "Path=/dev" in cookie
    assert "Secure" in cookie


def test_login_form_needs_csrf_token_and_own_origin(browser: Browser) -> None:
    form = {"username": USERNAME, "password": PASSWORD}
    assert browser.post("admin/login/", form).status == 403
    browser.get("admin/login/")
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    assert browser.post("admin/login/", form, Origin="https://evil.example.com").status == 403
    assert browser.post("admin/login/", form).status == 302


def test_static_files_are_compressed_and_immutable(browser: Browser) -> None:
    page = browser.get("admin/login/")
    addresses = re.findall(r'(?:href|src)="(/dev/static/[^"]+)"', page.text)
    assert len(addresses) > 3
    for address in addresses:
        assert browser.get(address).status == 200
    [style] = [address for address in addresses if re.search(r"/base\.\w+\.css$", address)]
    response = browser.get(style, Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Type"].startswith("text/css")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.text == browser.get(style).text


def test_pages_are_compressed(admin: Browser) -> None:
    response = admin.get("admin/logs/log/", Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert 'id="changelist"' in response.text


def test_api_requires_a_valid_token(deployment: EmulatedDeployment, browser: Browser, token: str) -> None:
    log = make_log(account_id=99, type="api", payload={"a": [1, 2.5]})
    deployment.send(log)
    wait_until(lambda: deployment.has_log(log["id"]), "the log is stored")
    assert browser.get("api/logs").status == 401
    assert browser.get("api/logs", Authorization="Bearer logsite_x_y").status == 401
    bearer = f"Bearer {token}"
    page = browser.get("api/logs?account_id=99&type=api", Authorization=bearer)
    assert page.status == 200
    assert [item["id"] for item in page.json()["items"]] == [log["id"]]
    detail = browser.get(f"api/logs/{log['id']}", Authorization=bearer)
    assert detail.json()["payload"] == {"a": [1, 2.5]}
    assert browser.get("api/logs?wrong=1", Authorization=bearer).status == 400


def test_openapi_schema_has_stage_prefix(browser: Browser, token: str) -> None:
    schema = browser.get("api/openapi.json", Authorization=f"Bearer {token}").json()
    assert "/dev/api/logs" in schema["paths"]


def test_not_found_page_shows_no_internals(browser: Browser) -> None:
    response = browser.get("no/such/page")
    assert response.status == 404
    assert "Traceback" not in response.text
    assert "urlpatterns" not in response.text


def test_sign_in_is_a_log_of_the_audit_trail(deployment: EmulatedDeployment, browser: Browser) -> None:
    def accounts() -> set[str]:
        """Return the accounts of Logsite's own with logs of the user."""
        response = deployment.client("dynamodb").query(
            TableName=deployment.outputs["LogsTableName"],
            IndexName="UserIndex",
            KeyConditionExpression="user_key = :user",
            FilterExpression="begins_with(account_id, :own)",
            ExpressionAttributeValues={":user": {"S": USERNAME}, ":own": {"S": "_"}},
        )
        return {item["account_id"]["S"] for item in response["Items"]}

    browser.sign_in(USERNAME, PASSWORD)
    wait_until(lambda: bool(accounts()), "the log is stored")
    assert accounts() == {"_logsite"}
