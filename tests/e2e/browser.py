"""A user's browser in front of API Gateway, whose host name resolves on no machine of ours."""

import gzip
import http.client
import json
import re
from dataclasses import dataclass, field
from email.message import Message
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass(frozen=True)
class Answer:
    """A response, its body as it came over the wire."""

    url: str
    status: int
    headers: Message
    raw: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        raw = gzip.decompress(self.raw) if self.headers.get("Content-Encoding") == "gzip" else self.raw
        return raw.decode()

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.text)


@dataclass
class Browser:
    """Cookies, and the site's address. A `path` without a leading slash begins at the address."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str = "", *, follow: bool = True, **headers: str) -> Answer:
        """Get a page, through its redirects."""
        answer = self._ask("GET", path, None, headers)
        for _ in range(5):
            if not follow or answer.status not in (301, 302):
                break
            answer = self._ask("GET", str(answer.headers["Location"]), None, headers)
        return answer

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Send a form; redirects are not followed."""
        headers.setdefault("Origin", self._origin)
        return self._ask(
            "POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded", **headers}
        )

    def sign_in(self, username: str, password: str) -> Answer:
        """Fill in the login form; return the page that it leads to."""
        page = self.get("admin/login/?next=/dev/admin/logs/log/")
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert found, page.text
        form = {"username": username, "password": password, "csrfmiddlewaretoken": found[1]}
        answer = self.post("admin/login/", {**form, "next": "/dev/admin/logs/log/"})
        assert answer.status == 302, answer.text
        return self.get(str(answer.headers["Location"]))

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        url = urljoin(self.address, path)
        parts = urlsplit(url)
        assert parts.netloc == urlsplit(self.address).netloc, f"the site leads away, to {url}"
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
        # As every browser: without Accept, API Gateway leaves a compressed body in base64.
        sent = {"Host": parts.netloc, "Accept": "*/*"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        # Zappa makes https of it, so the cookies are secure, and a real browser sends them to localhost.
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, sent)
        response = connection.getresponse()
        answer = Answer(url, response.status, response.headers, response.read())
        connection.close()
        for value in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        return answer
