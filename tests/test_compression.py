"""Pages are compressed for those who take it."""

import gzip

from django.test import Client

GZIP = {"Accept-Encoding": "gzip"}


def test_a_page_is_compressed_where_the_browser_takes_it() -> None:
    plain = Client().get("/admin/login/")
    packed = Client().get("/admin/login/", headers=GZIP)
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert b"</html>" in gzip.decompress(packed.content)


def test_the_length_of_a_page_gives_no_secret_of_it_away(viewer_client: Client) -> None:
    lengths = {len(viewer_client.get("/admin/", headers=GZIP).content) for _ in range(8)}
    assert len(lengths) > 1


def test_a_file_is_compressed_too(viewer_client: Client) -> None:
    response = viewer_client.get("/admin/logs/log/export/?format=csv", headers=GZIP)
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(response)).startswith("\ufeffcreated_at,".encode())
