"""The parts and files of exports in a bucket and in a folder."""

import gzip
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest

from logs.exports import files, jobs, worker
from logs.exports.files import Bucket, FilesUnavailable, Folder
from logs.exports.worker import Outcome
from tests.exports import OWNER, create, empty_exports_table, ids, make_spec, newest_first, use_small_chunks
from tests.items import make_item, store
from tests.noise import noise

pytest_plugins = ["tests.sqs_server"]


@pytest.fixture
def bucket(sqs_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Create a bucket as the place of exports; yield its name."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", sqs_server)
    name = f"exports-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    monkeypatch.setenv("LOGS_EXPORTS_BUCKET", name)
    yield name
    files._bucket.cache_clear()
    empty_exports_table()


def place() -> Bucket:
    each = files.files()
    assert isinstance(each, Bucket)
    return each


@pytest.mark.usefixtures("logs_table")
def test_parts_in_a_bucket_become_one_file(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_chunks(monkeypatch)
    store(make_item(number) for number in range(200))
    item = create(make_spec(payloads=False))
    assert worker.run(OWNER, item.id, place()) is Outcome.DONE
    s3 = boto3.client("s3")
    assert len(s3.list_objects_v2(Bucket=bucket, Prefix=f"parts/{item.id}/")["Contents"]) > 5
    url = place().link(jobs.file_key(item), item.file_name)
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["300"]
    with urllib.request.urlopen(url) as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="logs.ndjson.gz"'
        assert ids(gzip.decompress(response.read()).decode()) == newest_first(range(200))


def test_large_parts_are_joined_by_several_uploads(bucket: str) -> None:
    parts = [noise(3_000_000).encode() for _ in range(7)]
    for number, part in enumerate(parts):
        place().put(f"parts/a/{number}", part)
    calls: list[int] = []
    size = place().join([f"parts/a/{number}" for number in range(7)], "files/a", lambda: calls.append(1))
    assert (size, len(calls)) == (sum(map(len, parts)), 7)
    joined = boto3.client("s3").get_object(Bucket=bucket, Key="files/a")
    assert joined["Body"].read() == b"".join(parts)
    assert joined["ETag"].endswith('-3"')
    with pytest.raises(FilesUnavailable, match="NoSuchKey"):
        place().join(["parts/a/7"], "files/b", lambda: None)


def test_folder_deletes_old_parts_and_files(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for key in ("parts/old/1-0", "parts/new/1-0", "files/old.gz", "files/new.gz"):
        folder.put(key, b"x")
    for name, days in (("parts/old", 3), ("files/old.gz", 8), ("files/new.gz", 3)):
        moment = time.time() - days * 86_400
        os.utime(tmp_path / name, (moment, moment))
    folder.put("parts/new/1-1", b"x")
    kept = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert kept == ["files/new.gz", "parts/new/1-0", "parts/new/1-1"]
    with pytest.raises(FilesUnavailable, match="No such file"):
        folder.open("files/missing.gz")
