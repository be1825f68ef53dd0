"""LOGS_MASK: what is masked, what is not, and the rules of the setting."""

import base64
import json
import random
from typing import Any

import pytest

from ingest.masking.masker import Masker, from_environment
from ingest.masking.names import FieldNames, NameMatch
from ingest.masking.rules import MASK
from tests.factories import make_body

MASKER = Masker("@default")
VISA = "4111111111111111"


def mask(text: str, masker: Masker = MASKER) -> str:
    """Return a masked text. Masking it again changes nothing."""
    masked = masker.text(text)
    assert masker.text(masked) == masked
    return masked


def mask_payload(payload: Any, **changes: Any) -> Any:
    """Return the masked payload of a message."""
    masked = MASKER.body(make_body(payload=payload, **changes))
    assert MASKER.body(masked) == masked
    return json.loads(masked)["payload"]


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "PASSWORD", "password1", "passwords", "new_password", "newPassword",
        "NEW-PASSWORD", "password_confirmation", "passwordHash", "user[password]", "form-0-password",
        "user.password", "secret", "client_secret", "AWS_SECRET_ACCESS_KEY", "secretKey", "token",
        "accessToken", "X-Auth-Token", "csrf_token", "csrftoken", "authtoken", "csrfmiddlewaretoken",
        "oauth2_token", "IDToken", "Authorization", "HTTP_AUTHORIZATION", "Proxy-Authorization", "Cookie",
        "Set-Cookie", "HTTP_COOKIE", "cookies", "sessionCookie", "user%5Bpassword%5D",
    ],
)  # fmt: skip
def test_name_with_the_word_is_masked(name: str) -> None:
    assert mask_payload({name: "hunter2"}) == {name: MASK}
    assert mask(f"a=1&{name}=hunter2&b=2") == f"a=1&{name}=***&b=2"
    assert MASKER.url(f"/x?{name}=hunter2") == f"/x?{name}=***"


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer", "tokenized", "secretary", "secretariat", "passwordless", "author", "authorized",
        "cookiecutter", "cook", "pass", "key", "user", "note", "card",
    ],
)  # fmt: skip
def test_other_name_is_not_masked(name: str) -> None:
    assert mask_payload({name: "hunter2"}) == {name: "hunter2"}
    assert mask(f"a=1&{name}=hunter2&b=2") == f"a=1&{name}=hunter2&b=2"
    assert MASKER.url(f"/x?{name}=hunter2") == f"/x?{name}=hunter2"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"a": {"b": [{"password": "x"}]}}, {"a": {"b": [{"password": MASK}]}}),
        ({"changes": {"password": ["old", "new"]}}, {"changes": {"password": [MASK, MASK]}}),
        ({"password": {"old": "x", "at": [1, None]}}, {"password": {"old": MASK, "at": [MASK, None]}}),
        ({"token": 123456}, {"token": MASK}),
        ({"token": -1.5e3}, {"token": MASK}),
        ({"password": 'a"b\\c'}, {"password": MASK}),
        ({"password": list(range(1_000))}, {"password": MASK}),
        ([{"name": "password", "value": "x"}], [{"name": "password", "value": MASK}]),
        ([{"key": "API_TOKEN", "n": 1, "value": "x"}], [{"key": "API_TOKEN", "n": 1, "value": MASK}]),
        ({"field": "password", "old": "a", "new": "b"}, {"field": "password", "old": MASK, "new": MASK}),
        ({"name": "Cookie", "a": {"to": 1}, "to": 2}, {"name": "Cookie", "a": {"to": 1}, "to": MASK}),
        ([["password", "x"], ["user", "anna"]], [["password", MASK], ["user", "anna"]]),
        ([["user", "anna"], ["token", ["x", "y"]]], [["user", "anna"], ["token", [MASK, MASK]]]),
        ({"body": '{"password": "x", "n": 1.0}'}, {"body": '{"password": "***", "n": 1.0}'}),
        ({"body": '{"inner": "{\\"token\\": \\"x\\"}"}'}, {"body": '{"inner": "{\\"token\\": \\"***\\"}"}'}),
        ({"form": "user=anna&password=x"}, {"form": "user=anna&password=***"}),
        ({"n": 4111111111111111}, {"n": MASK}),
        ({"n": [1, 5500005555555559, 2]}, {"n": [1, MASK, 2]}),
        ({"referer": "https://h/a?token=x#t"}, {"referer": "https://h/a?token=***"}),
        ({"dsn": "postgres://joe:s3cret@db:5432/x"}, {"dsn": "postgres://joe:***@db:5432/x"}),
        ("password=x", "password=***"),
        ('{"password": "x"}', '{"password": "***"}'),
    ],
)  # fmt: skip
def test_value_in_a_payload_is_masked(payload: Any, expected: Any) -> None:
    assert mask_payload(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"password": None, "token": True, "secret": "", "cookie": False},
        {"usage": {"prompt_tokens": 12, "total_tokens": 1532, "tokens_per_second": 8.5}},
        [{"name": "user", "value": "x"}, {"value": "y"}],
        [{"name": "password"}, {"value": "y"}],
        {"visibility": ["secret", "public"]},
        {"tags": ["password", "reset"]},
        {"sub_type": "password", "reason": "wrong password", "text": "The token expired."},
        {"n": [4111111111111112, 1234567890123456, 1700000000000, 20261123224400, -7, 1e300]},
        {"id": "550e8400-e29b-41d4-a716-446655440000"},
        {"uuid": "41111111-1111-4111-1111-111111111111"},
        {"sha": "4111111111111111aaaaaaaaaaaaaaaa", "ean": "4006381333931", "imei": "356938035643809"},
        {"url": "https://h:8080/a@b", "mail": "anna@example.com", "site": "https://anna@example.com"},
        "a = b: c, 'd' \"e\" {f} [g]",
        "Password reset for anna",
    ],
)  # fmt: skip
def test_other_value_in_a_payload_stays(payload: Any) -> None:
    assert mask_payload(payload) == payload


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("GET /\r\nAuthorization: Basic YWJj==\r\nHost: h", "GET /\r\nAuthorization: ***\r\nHost: h"),
        ("Cookie: a=b; c=\"d\"; e=f\nHost: h", "Cookie: ***\nHost: h"),
        ("curl -H 'Authorization: Bearer abc' https://h", "curl -H 'Authorization: ***' https://h"),
        ("X-Auth-Token: abc", "X-Auth-Token: ***"),
        ("password: hunter2, user: anna", "password: ***, user: anna"),
        ("password=it's;next=1", "password=***;next=1"),
        ("password = 'a b' user=x", "password = '***' user=x"),
        ('password="a \\" b" user=x', 'password="***" user=x'),
        ("password=a,b user=x", "password=*** user=x"),
        ("User(password=a, name='x')", "User(password=***, name='x')"),
        ("{'password': 'x', 'user': 'anna'}", "{'password': '***', 'user': 'anna'}"),
        ("<QueryDict: {'password': ['a', 'b']}>", "<QueryDict: {'password': ['***', '***']}>"),
        ("[password] => hunter2", "[password] => ***"),
        ('got {"token": "x", "n": 1.0} back', 'got {"token": "***", "n": 1.0} back'),
        (r'got {\"token\": \"x y\", \"n\": 1} back', r'got {\"token\": \"***\", \"n\": 1} back'),
        ("[2026-11-23] login password=x", "[2026-11-23] login password=***"),
        ('{"password": "x', '{"password": "***"'),
        ('{"password": ["x", "y"', '{"password": ["***", "***"'),
        ('{"a": 1, password: "x"}', '{"a": 1, password: "***"}'),
        ('["a"] password="x y"', '["a"] password="***"'),
        ("<wsse:Password Type='t'> x </wsse:Password>", "<wsse:Password Type='t'> ***</wsse:Password>"),
        ("<token><![CDATA[a<b]]></token>", "<token><![CDATA[***]]></token>"),
        ("Server=h;Password=a b;User=x", "Server=h;Password=*** b;User=x"),
        ("next=%2Fcb%3Ftoken%3Dabc%26x%3D1", "next=%2Fcb%3Ftoken%3D***%26x%3D1"),
        ("https://joe:pw@h/?a=1", "https://joe:***@h/?a=1"),
        (r"https:\/\/joe:pw@h\/", r"https:\/\/joe:***@h\/"),
        ("redis://:pw@h", "redis://:***@h"),
        (f"paid with {VISA}.", "paid with ***."),
        ("4111 1111 1111 1111 and 4111-1111-1111-1111", "*** and ***"),
        ("3782 822463 10005", "***"),
        ("card-4111111111111111", "card-***"),
    ],
)  # fmt: skip
def test_value_in_a_text_is_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111", "4222222222222", "4000000000000000006", "5555555555554444", "2223003122003222",
        "378282246310005", "371449635398431", "30569309025904", "38520000023237", "6011111111111117",
        "3530111333300000", "6200000000000005", "6759649826438453",
    ],
)  # fmt: skip
def test_card_number_of_each_issuer_is_masked(number: str) -> None:
    assert mask(number) == MASK
    assert mask_payload({"n": int(number)}) == {"n": MASK}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/reset?token=abc&next=/x", "/reset?token=***&next=/x"),
        ("/?a=1&token=abc#access_token=d&state=e", "/?a=1&token=***#access_token=***&state=e"),
        ("https://joe:pw@h/x", "https://joe:***@h/x"),
        ("/login?next=%2Freset%3Ftoken%3Dabc%26a%3D1", "/login?next=%2Freset%3Ftoken%3D***%26a%3D1"),
        ("/?filter=%7B%22password%22%3A%22x%22%7D", "/?filter=%7B%22password%22%3A%22***%22%7D"),
        ("/?p%61ss=1&password=x+y%26z", "/?p%61ss=1&password=***"),
        ("/?card=4111+1111+1111+1111", "/?card=***"),
        ("/?4111111111111111", "/?***"),
        ("/login;token=abc", "/login;token=***"),
    ],
)
def test_value_in_a_url_is_masked(url: str, expected: str) -> None:
    masked = MASKER.url(url)
    assert masked == MASKER.url(masked) == expected
    assert json.loads(MASKER.body(make_body(url=url)))["url"] == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/token/abc/",
        "/secret:abc",
        f"/cards/{VISA}/",
        "/?token=",
        "/?q=token",
        "/?token",
        "/password?a=b",
    ],
)
def test_other_part_of_a_url_stays(url: str) -> None:
    assert MASKER.url(url) == url


def test_only_masked_values_change() -> None:
    text = (
        '{ "account_id" : 7,"payload":{"a":1.0,"b":1e2,"c":123456789012345678901234567890,"a":2,'
        '"password":"x","d":"\\u00e9\\/é"},\n"note": "é"}'
    )

    assert MASKER.body(text) == text.replace('"x"', '"***"')
    assert MASKER.body(text.replace('"password"', '"pass"')) == text.replace('"password"', '"pass"')


def test_identity_fields_stay() -> None:
    body = make_body(
        account_id=int(VISA), user_id=VISA, type="token=a", sub_type="password=b", submitter_agent="token=c",
        submitter_id=VISA, payload={"account_id": VISA},
    )  # fmt: skip

    assert MASKER.body(body) == body.replace(f'{{"account_id": "{VISA}"}}', '{"account_id": "***"}')


def test_unknown_fields_are_masked() -> None:
    masked = json.loads(MASKER.body(make_body(api_token="x", note=f"paid with {VISA}", form={"password": 1})))

    assert (masked["api_token"], masked["note"], masked["form"]) == (
        MASK,
        "paid with ***",
        {"password": MASK},
    )


def test_wrapped_log_keeps_its_identity_fields() -> None:
    log = make_body(user_id=VISA, payload={"password": "x"})
    masked = json.loads(MASKER.body(json.dumps({"Type": "Notification", "Message": log})))

    assert json.loads(masked["Message"]) == {**json.loads(log), "payload": {"password": MASK}}


def test_lone_surrogate_is_no_error() -> None:
    assert MASKER.url("/?a=token%3Dx\udc00") == "/?a=token%3D***"
    assert MASKER.body('{"payload": "password=x \\udc00"}') == '{"payload": "password=*** \\udc00"}'


FRAGMENTS = [
    *("password", "token", "Cookie", "Authorization", "Bearer ", "name", "value", "a"), "1", VISA, "é😀",
    *('=:,;&%"<>{}[]/?\\\n '), "'", "\u2028", "=>", "%3D", "%26", "https://u:p@h", "null", MASK,
    "<![CDATA[", "]]>",
]  # fmt: skip


def random_text(rng: random.Random) -> str:
    """Return a text of parts that the masking treats specially."""
    return "".join(rng.choices(FRAGMENTS, k=rng.randint(0, 12)))


def random_json(rng: random.Random, depth: int = 0) -> Any:
    """Return a JSON value with random texts."""
    kind = rng.random()
    if depth < 4 and kind < 0.3:
        names = ["password", "name", "value", "tokens", 'b"c', random_text(rng)]
        return {rng.choice(names): random_json(rng, depth + 1) for _ in range(rng.randint(0, 4))}
    if depth < 4 and kind < 0.5:
        return [random_json(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if kind < 0.6:
        return json.dumps(random_json(rng, depth + 2))
    return random_text(rng) if kind < 0.9 else rng.choice([None, True, 1, 1.5, int(VISA), -3])


def has_same_shape(masked: Any, original: Any) -> bool:
    """Return whether a value differs from the original by masked values only."""
    if isinstance(masked, dict) and isinstance(original, dict):
        pairs = zip(masked.values(), original.values(), strict=True)
        return list(masked) == list(original) and all(has_same_shape(*pair) for pair in pairs)
    if isinstance(masked, list) and isinstance(original, list):
        return all(has_same_shape(*pair) for pair in zip(masked, original, strict=True))
    return masked in (MASK, original) or (isinstance(masked, str) and isinstance(original, str))


def random_body(rng: random.Random) -> tuple[dict[str, Any], str]:
    """Return the fields of a log, and its body."""
    fields = {"account_id": 7, "url": random_text(rng), "payload": random_json(rng), "x": random_json(rng)}
    return fields, json.dumps(fields, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))


@pytest.mark.parametrize("seed", range(20))
def test_masked_json_is_valid_and_has_its_shape(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        fields, body = random_body(rng)
        masked = MASKER.body(body)
        assert has_same_shape(json.loads(masked), fields)
        assert MASKER.body(masked) == masked
        mask(body[: rng.randint(0, len(body))])
        mask(random_text(rng))


@pytest.mark.parametrize(
    "name",
    ["pass_word", "pass-word", "Pass.Word", "pass%77ord", "to\u212aen", "to\\u212aen", "pass\u00a0word"],
)
@pytest.mark.parametrize("padding", [0, 100_000])
def test_name_in_parts_is_masked_without_another_match(name: str, padding: int) -> None:
    text = f'{{"a": "{"x " * padding}", "{name}": "hunter2"}}'
    assert "hunter2" not in MASKER.body(text)
    assert "hunter2" not in MASKER.text(text)


def test_base64_after_a_space_is_masked() -> None:
    secret = base64.b64encode(json.dumps({"password": "hunter2", "b": "c" * 20}).encode()).decode()
    masked = json.loads(MASKER.body(json.dumps({"account_id": 7, "payload": f" {secret}"})))["payload"]
    assert masked.strip() != secret
    assert "hunter2" not in base64.b64decode(masked).decode()


@pytest.mark.parametrize("place", [0, 100_000, 300_000])
def test_value_anywhere_in_a_long_text_is_masked(place: int) -> None:
    rows = ["a row"] * 300_001
    rows[place] = "password=hunter2"
    masked = json.loads(MASKER.body(json.dumps({"account_id": 7, "payload": rows})))["payload"]
    rows[place] = f"password={MASK}"
    assert masked == rows


def test_value_far_behind_its_name_is_masked() -> None:
    field = {"name": "password", "rows": ["a row"] * 100_000, "value": "hunter2"}
    body = json.dumps({"account_id": 7, "payload": [field, "a row"]})
    assert json.loads(MASKER.body(body))["payload"] == [{**field, "value": MASK}, "a row"]


@pytest.mark.parametrize(
    "text", ["{", '{"', '{"a', '{"a":', "[[[[", '"\\', '{"password":', '{"password":[', "\ud800"]
)
def test_invalid_text_is_no_error(text: str) -> None:
    assert MASKER.body(text) == text


def test_deeply_nested_text_is_masked() -> None:
    text = '{"a":' * 100_000 + '{"password":"x"}' + "}" * 100_000

    assert MASKER.text(text) == text.replace('"x"', '"***"')


@pytest.mark.parametrize(
    ("setting", "text", "expected"),
    [
        ("api_key", "apiKey=a X-API-Key=b apikey=c keys=d", "apiKey=*** X-API-Key=*** apikey=*** keys=d"),
        ("pin", "pin=1 spin=2 pinned=3 card_pin=4", "pin=*** spin=2 pinned=3 card_pin=***"),
        ("парола", "новаПарола=x", "новаПарола=***"),
        ("token,-token_type", "token=a token_type=b types=c", "token=*** token_type=b types=c"),
        ("@cards", f"password=x {VISA}", "password=x ***"),
        ("password", f"password=x {VISA}", f"password=*** {VISA}"),
        (r"/\bBG\d{2,20}\b/", "iban BG80123 BG1", "iban *** BG1"),
        (r" /a,b/ , /c\/d/,, iban", "a,b c/d iban=e", "*** *** iban=***"),
        ("iban\npin", "iban=1 pin=2", "iban=*** pin=***"),
        (["/x, y/", " pin "], "x, y pin=2", "*** pin=***"),
        (r"/^7$/", '{"a": 7, "b": [7,"7",77]}', '{"a": "***", "b": ["***","***",77]}'),
        (r"/\d{10}/", '{"egn": 7501020018, "s": "7501020018"}', '{"egn": "***", "s": "***"}'),
        ("", f"password=x {VISA} https://a:b@c", f"password=x {VISA} https://a:b@c"),
        (" , ", "password=x", "password=x"),
        ([], "password=x", "password=x"),
    ],
)  # fmt: skip
def test_setting_names_what_is_masked(setting: Any, text: str, expected: str) -> None:
    assert mask(text, Masker(setting)) == expected


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ("password,/(/", "LOGS_MASK: '/(/' must be a regular expression: missing ), unterminated subpattern"),
        ("/abc", "LOGS_MASK: '/abc' must be a regular expression between two slashes"),
        ("/", "LOGS_MASK: '/' must be a regular expression between two slashes"),
        ("/x*/", "LOGS_MASK: '/x*/' must not match an empty text"),
        (r"/\*/", r"LOGS_MASK: '/\\*/' must not match a part of ***"),
        ("@card", "LOGS_MASK: '@card' must be @default or @cards"),
        ("***", "LOGS_MASK: '***' must be a name with letters or digits, or /a pattern/"),
        ("a,-", "LOGS_MASK: '-' must be a name with letters or digits"),
        (5, "LOGS_MASK must be a text or a list of texts, not 5"),
        ([5], "LOGS_MASK must be a text or a list of texts, not a list with 5"),
    ],
)
def test_invalid_setting_is_an_error(setting: Any, error: str) -> None:
    with pytest.raises(ValueError, match="LOGS_MASK") as caught:
        Masker(setting)
    assert str(caught.value).startswith(error)


def test_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_MASK", raising=False)
    assert from_environment().text("password=x pin=1") == "password=*** pin=1"
    monkeypatch.setenv("LOGS_MASK", "pin")
    assert from_environment().text("password=x pin=1") == "password=x pin=***"
    monkeypatch.setenv("LOGS_MASK", "")
    assert from_environment().text("password=x pin=1") == "password=x pin=1"


def test_long_name_matches_at_its_end() -> None:
    names = FieldNames(["password"], [])

    assert names.match("x" * 1_000_000 + "_password") == NameMatch.EXACT
    assert names.match("password_" + "x" * 1_000_000) == NameMatch.NONE
