"""Responses are compressed if the client accepts gzip."""

import gzip

from django.test import Client

GZIP = {"Accept-Encoding": "gzip"}


def test_page_is_compressed_for_gzip() -> None:
    plain = Client().get("/admin/login/")
    packed = Client().get("/admin/login/", headers=GZIP)
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert b"</html>" in gzip.decompress(packed.content)


def test_compressed_length_varies_against_breach(viewer_client: Client) -> None:
    lengths = {len(viewer_client.get("/admin/logs/", headers=GZIP).content) for _ in range(8)}
    assert len(lengths) > 1


def test_exported_file_is_compressed(viewer_client: Client) -> None:
    response = viewer_client.get("/admin/logs/log/export/?format=csv", headers=GZIP)
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(response)).startswith("\ufeffcreated_at,".encode())
