"""The site behind API Gateway, as a user's browser and a program see it."""

import re

from tests.e2e.browser import Browser
from tests.e2e.conftest import PASSWORD, USERNAME
from tests.e2e.deployment import Deployment, a_log, wait_until


def test_the_bare_address_leads_to_the_login_under_the_stage(browser: Browser) -> None:
    first = browser.get("", follow=False)
    assert first.status == 302
    assert first.headers["Location"] == "/dev/admin/logs/log/"
    page = browser.get("")
    assert page.status == 200
    assert page.url.startswith(f"{browser.address}admin/login/?next=/dev/admin/logs/log/")


def test_signing_in_leads_to_the_listing_and_out_again(browser: Browser) -> None:
    page = browser.sign_in(USERNAME, PASSWORD)
    assert page.url == f"{browser.address}admin/logs/log/"
    assert page.status == 200
    assert 'id="changelist"' in page.text
    token = browser.cookies["csrftoken"]
    browser.post("admin/logout/", {"csrfmiddlewaretoken": token})
    assert "/login/" in browser.get("admin/logs/log/").url


def test_cookies_are_secure_and_the_stage_s_own(browser: Browser) -> None:
    answer = browser.get("admin/login/")
    [cookie] = {value for value in answer.headers.get_all("Set-Cookie", []) if value.startswith("csrftoken")}
    assert "Path=/dev" in cookie
    assert "Secure" in cookie


def test_a_form_without_its_token_or_from_elsewhere_is_refused(browser: Browser) -> None:
    form = {"username": USERNAME, "password": PASSWORD}
    assert browser.post("admin/login/", form).status == 403
    browser.get("admin/login/")
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    assert browser.post("admin/login/", form, Origin="https://evil.example.com").status == 403
    assert browser.post("admin/login/", form).status == 302


def test_static_files_come_compressed_and_are_kept_for_long(browser: Browser) -> None:
    page = browser.get("admin/login/")
    addresses = re.findall(r'(?:href|src)="(/dev/static/[^"]+)"', page.text)
    assert len(addresses) > 3
    for address in addresses:
        assert browser.get(address).status == 200
    [style] = [address for address in addresses if re.search(r"/base\.\w+\.css$", address)]
    answer = browser.get(style, Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.text == browser.get(style).text


def test_pages_come_compressed(admin: Browser) -> None:
    answer = admin.get("admin/logs/log/", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert 'id="changelist"' in answer.text


def test_the_api_takes_a_token_and_nothing_less(deployment: Deployment, browser: Browser, token: str) -> None:
    log = a_log(account_id=99, type="api", payload={"a": [1, 2.5]})
    deployment.send(log)
    wait_until(lambda: deployment.stored(log["id"]), "it is stored")
    assert browser.get("api/logs").status == 401
    assert browser.get("api/logs", Authorization="Bearer logsite_x_y").status == 401
    bearer = f"Bearer {token}"
    page = browser.get("api/logs?account_id=99&type=api", Authorization=bearer)
    assert page.status == 200
    assert [item["id"] for item in page.json()["items"]] == [log["id"]]
    whole = browser.get(f"api/logs/{log['id']}", Authorization=bearer)
    assert whole.json()["payload"] == {"a": [1, 2.5]}
    assert browser.get("api/logs?wrong=1", Authorization=bearer).status == 400


def test_the_schema_names_the_api_under_the_stage(browser: Browser, token: str) -> None:
    schema = browser.get("api/openapi.json", Authorization=f"Bearer {token}").json()
    assert "/dev/api/logs" in schema["paths"]


def test_an_unknown_page_and_a_crash_show_nothing_of_the_inside(browser: Browser) -> None:
    answer = browser.get("no/such/page")
    assert answer.status == 404
    assert "Traceback" not in answer.text
    assert "urlpatterns" not in answer.text
