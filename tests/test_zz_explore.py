"""x"""
import json, re
from datetime import UTC, datetime, timedelta
from itertools import islice
import pytest
from django.conf import settings
from tests.browser_fixtures import *
from tests.conftest import client_of, empty_logs_table, make_user
from tests.factories import make_event
from tests.items import make_item, store
from tests.pages import LISTING
from tests.lambda_context import LambdaContext
from ingest import handler
from logsite.local.samples import samples
pytestmark = pytest.mark.browser
OUT="/tmp/q/"
def test_explore(browser, site, dynamodb_engine, superuser):
    empty_logs_table()
    now = datetime.now(UTC)
    logs=list(samples(400, now))
    for i in range(0,len(logs),10):
        handler.lambda_handler(make_event(*[json.dumps(l, default=str) for l in logs[i:i+10]]), LambdaContext())
    cookie = client_of(superuser).cookies[settings.SESSION_COOKIE_NAME].value
    def ctx(**k):
        c = browser.new_context(base_url=site, timezone_id="Europe/Berlin", **k)
        c.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])
        c.grant_permissions(["clipboard-read","clipboard-write"])
        c.set_default_timeout(4000)
        return c
    c=ctx(viewport={"width":1440,"height":900}); p=c.new_page()
    p.on("pageerror", lambda e: print("PAGEERROR", e)); p.on("console", lambda m: print("CONSOLE", m.text) if m.type=="error" else None)
    def say(*a): print("##",*a, "|", re.sub(r"^http://[^/]*","",p.url), "|", (p.locator("h1.logs-sentence").inner_text() if p.locator("h1.logs-sentence").count() else p.title()), "|", p.locator("#result_list tr[id]").count(), [e for e in p.locator(".errorlist li").all_inner_texts()])
    def step(name, f):
        try: f()
        except Exception as e: print("!! ", name, str(e)[:300])
        p.wait_for_load_state()
        say(name)
    p.goto(LISTING); say("start"); p.screenshot(path=OUT+"list.png", full_page=True)
    step("next", lambda: p.locator("a[data-page=next]").first.click())
    step("sort on page 2", lambda: p.locator("[name=set_order]").first.click())
    step("size 25", lambda: p.get_by_role("button", name="25", exact=True).click())
    step("size 200", lambda: p.get_by_role("button", name="200", exact=True).click())
    step("sort back", lambda: p.locator("[name=set_order]").first.click())
    step("compact", lambda: p.get_by_text("compact", exact=True).click())
    step("back", lambda: p.go_back()); step("forward", lambda: p.go_forward())
    p.screenshot(path=OUT+"compact.png")
    step("open columns", lambda: p.locator("summary", has_text="Columns").first.click())
    p.screenshot(path=OUT+"columns.png")
    print(p.locator(".logs-paginator").inner_text())
    p.goto(LISTING)
    for t in ["yesterday 9-10","Yesterday 09:00 - 10:00","9-10","9:00-10:00","last week","last 7 days","-2h","2h","2 hours ago","past hour","last hour","last day","2026","Nov","november","2026-11","24.11.2026","24/11/2026","11/24/2026","24 Nov","Nov 24","Nov 24, 2026","24 november 2026 9am","9am-10am","monday","mon 9-10","tomorrow","now","this year","last 24h","24h","1d","today 9-","since yesterday","yesterday 9 to 10","yesterday from 9 to 10","2026-11-24 09:00","2026-11-24T09:00:00.123456Z","1764000000","2026-11-24T09:00:00+01:00 - 2026-11-24T10:00:00+01:00","10-9", "from 9", "this hour", "24 Nov 9:00 - 25 Nov 10:00","lastweek","-1w","30min"]:
        p.get_by_label("Time range").fill(t)
        with p.expect_event("domcontentloaded"): p.keyboard.press("Enter")
        h=p.locator("h1.logs-sentence").inner_text(); er=p.locator(".errorlist li").all_inner_texts()
        print("RANGE", repr(t), "->", er or h)
    p.goto(LISTING)
    def open_rows():
        b=p.locator("#result_list [name=open]")
        for n in (0,1,2): b.nth(n).click(); p.wait_for_timeout(200)
    step("open 3", open_rows); p.screenshot(path=OUT+"open.png")
    step("reload", lambda: p.reload())
    def pop(): 
        cell=p.locator("#result_list td.w").nth(1); cell.hover(); p.locator(".logs-more-button").click(timeout=3000); print(p.locator("#logs-values").inner_text().replace("\n"," / ")); p.screenshot(path=OUT+"pop.png")
        p.locator("#logs-values").get_by_role("link",name="Not this").first.click()
    step("pop not", pop); 
    def pop2():
        cell=p.locator("#result_list td.c").nth(0); cell.hover(); p.locator(".logs-more-button").click(timeout=3000); print(p.locator("#logs-values").inner_text().replace("\n"," / ")); p.locator("#logs-values").get_by_role("link",name="Only this").nth(1).click()
    step("pop only", pop2)
    print("CHIPS", p.locator(".logs-chips").inner_text().replace("\n"," / "))
    def popu():
        cell=p.locator("#result_list td.u").nth(0); cell.hover(); p.locator(".logs-more-button").click(timeout=3000); print(p.locator("#logs-values").inner_text().replace("\n"," / ")); p.locator("#logs-values").get_by_role("button",name="Copy").first.click(); p.wait_for_timeout(150); print("CLIP", p.evaluate("navigator.clipboard.readText()")); p.keyboard.press("Escape")
    step("pop copy", popu)
    step("remove chip", lambda: p.locator(".logs-chips a").first.click())
    step("berlin", lambda: p.get_by_role("button", name=re.compile("Berlin")).click())
    step("detail", lambda: p.locator("#result_list th a").nth(3).click()); p.screenshot(path=OUT+"detail.png", full_page=True)
    print(p.locator(".logs-line").inner_text())
    step("close", lambda: p.get_by_role("link", name="Close").click())
    step("bad zone", lambda: (p.get_by_label("Other time zone").fill("gotham"), p.keyboard.press("Enter"), p.wait_for_timeout(500)))
    p.screenshot(path=OUT+"badzone.png")
    step("cet", lambda: (p.get_by_label("Other time zone").fill("new york"), p.keyboard.press("Enter"), p.wait_for_timeout(500)))
    p.goto(LISTING+"?type=logn"); say("typo"); p.screenshot(path=OUT+"typo.png", full_page=True); print(p.locator(".changelist-form-container").inner_text()[:600])
    p.goto(LISTING+"?q=paid"); say("q"); p.screenshot(path=OUT+"q.png", full_page=False)
    p.goto(LISTING+"?q=paid&type=update"); p.emulate_media(media="print"); p.screenshot(path=OUT+"print.png", full_page=False); p.pdf(path=OUT+"p.pdf") ; p.emulate_media(media="screen")
    m=ctx(viewport={"width":390,"height":844}, is_mobile=True, has_touch=True); p=m.new_page(); 
    p.goto(LISTING); p.screenshot(path=OUT+"m1.png"); say("phone"); 
    print("WIDTH", p.evaluate("document.documentElement.scrollWidth"))
    step("phone open", lambda: p.locator("#result_list [name=open]").nth(1).tap()); p.wait_for_timeout(500); p.screenshot(path=OUT+"m2.png")
    print("WIDTH", p.evaluate("document.documentElement.scrollWidth"))
    step("phone filters", lambda: p.locator("summary", has_text="Filters").first.tap()); p.screenshot(path=OUT+"m3.png", full_page=True)
    d=ctx(viewport={"width":1440,"height":900}, color_scheme="dark"); p=d.new_page(); p.goto(LISTING+"?type=update&range=-30d"); p.locator("#result_list [name=open]").nth(0).click(); p.wait_for_timeout(500); p.screenshot(path=OUT+"dark.png")
    for x in (c,m,d): x.close()
