"""A browser in front of API Gateway, whose host name resolves on no machine."""

import gzip
import http.client
import json
import re
from dataclasses import dataclass, field
from email.message import Message
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

MAX_REDIRECTS = 5


@dataclass(frozen=True)
class Response:
    """A response. `raw` is the body as it was transferred."""

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
    """Cookies and the site's address. A `path` without a leading slash is relative to the address."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str = "", *, follow: bool = True, **headers: str) -> Response:
        """Get a page. Redirects are followed unless `follow` is false."""
        response = self._request("GET", path, None, headers)
        for _ in range(MAX_REDIRECTS):
            if not follow or response.status not in (301, 302):
                break
            response = self._request("GET", str(response.headers["Location"]), None, headers)
        return response

    def post(self, path: str, form: dict[str, str], **headers: str) -> Response:
        """Send a form. Redirects are not followed."""
        headers.setdefault("Origin", self._origin)
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._request("POST", path, urlencode(form), headers)

    def sign_in(self, username: str, password: str) -> Response:
        """Submit the login form; return the page after the redirect."""
        page = self.get("admin/login/?next=/dev/admin/logs/log/")
        match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert match, page.text
        form = {"username": username, "password": password, "csrfmiddlewaretoken": match[1]}
        response = self.post("admin/login/", {**form, "next": "/dev/admin/logs/log/"})
        assert response.status == 302, response.text
        return self.get(str(response.headers["Location"]))

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    def _request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Response:
        url = urljoin(self.address, path)
        parts = urlsplit(url)
        assert parts.netloc == urlsplit(self.address).netloc, f"the site redirects to another host: {url}"
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
        # Every browser sends Accept. Without it, API Gateway leaves a compressed body in base64.
        all_headers = {"Host": parts.netloc, "Accept": "*/*"}
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        # Zappa reports https to Django, so the cookies are secure. Real browsers send these to localhost too.
        if self.cookies:
            all_headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, all_headers)
        raw_response = connection.getresponse()
        response = Response(url, raw_response.status, raw_response.headers, raw_response.read())
        connection.close()
        for value in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        return response
