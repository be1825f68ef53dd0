"""The parts and files of exports, in a bucket or a folder."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from botocore.config import Config
from botocore.session import Session

from logs.exports.jobs import FILES_KEPT, PARTS_KEPT
from logs.storage.errors import AWS_ERRORS

# A part of a multipart upload has at least 5 MiB, except the last one:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
UPLOAD_BYTES = 8 * 2**20
# A link to a file is opened at once: it is the target of a redirect.
LINK_SECONDS = 300
CONTENT_TYPE = "application/gzip"

# Called between two parts. Raises to stop.
Progress = Callable[[], None]


class FilesUnavailable(Exception):
    """The bucket or the folder did not accept a request."""


class Files(Protocol):
    """The parts and files of exports, by their keys. Each method raises FilesUnavailable."""

    def put(self, key: str, data: bytes) -> None:
        """Write a part. Another part with the same key is replaced."""

    def join(self, keys: Iterable[str], target: str, progress: Progress) -> int:
        """Write parts one after the other as one file; return its size in bytes.

        The file appears when it is complete. It may be joined again.
        """


class Bucket:
    """A bucket of S3. A lifecycle rule deletes parts and files."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._client: Any = Session().create_client(
            "s3",
            config=Config(
                signature_version="s3v4",
                connect_timeout=2,
                read_timeout=10,
                retries={"total_max_attempts": 4, "mode": "standard"},
            ),
        )

    def put(self, key: str, data: bytes) -> None:
        """Write a part. Costs one PutObject."""
        with _unavailable():
            self._client.put_object(Bucket=self._name, Key=key, Body=data)

    def join(self, keys: Iterable[str], target: str, progress: Progress) -> int:
        """Join parts by one multipart upload. Costs a GetObject per part, and an UploadPart per 8 MiB.

        A part of an upload has 5 MiB at least, so parts are read and joined. Uploads that were stopped are
        aborted by the lifecycle rule.
        """
        with _unavailable():
            place = {"Bucket": self._name, "Key": target}
            upload = {
                **place,
                "UploadId": self._client.create_multipart_upload(**place, ContentType=CONTENT_TYPE)[
                    "UploadId"
                ],
            }
            uploaded: list[dict[str, Any]] = []
            size, buffer = 0, bytearray()

            def send() -> None:
                number = len(uploaded) + 1
                response = self._client.upload_part(**upload, PartNumber=number, Body=bytes(buffer))
                uploaded.append({"PartNumber": number, "ETag": response["ETag"]})

            for key in keys:
                progress()
                buffer += self._client.get_object(Bucket=self._name, Key=key)["Body"].read()
                if len(buffer) >= UPLOAD_BYTES:
                    send()
                    size, buffer = size + len(buffer), bytearray()
            if buffer:
                send()
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": uploaded})
            return size + len(buffer)

    def link(self, key: str, name: str) -> str:
        """Return a signed URL of the file. Costs no request."""
        with _unavailable():
            url: str = self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._name,
                    "Key": key,
                    "ResponseContentType": CONTENT_TYPE,
                    "ResponseContentDisposition": f'attachment; filename="{name}"',
                },
                ExpiresIn=LINK_SECONDS,
            )
            return url


class Folder:
    """A folder of this machine. Parts and files that are too old are deleted with the next part."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, key: str, data: bytes) -> None:
        """Write a part."""
        with _unavailable():
            self._write(key, [data])
            self._delete_old()

    def join(self, keys: Iterable[str], target: str, progress: Progress) -> int:
        """Join parts. Another worker may do the same."""
        paths = [self._path / key for key in keys]

        def parts() -> Iterator[bytes]:
            for path in paths:
                progress()
                yield path.read_bytes()

        with _unavailable():
            return self._write(target, parts())

    def open(self, key: str) -> BinaryIO:
        """Return the open file, which the site sends."""
        with _unavailable():
            return (self._path / key).open("rb")

    def _write(self, key: str, pieces: Iterable[bytes]) -> int:
        path = self._path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two workers of one export may join its parts at the same time.
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        with unfinished.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            size = file.tell()
        unfinished.replace(path)
        return size

    def _delete_old(self) -> None:
        for folder, kept in (("parts", PARTS_KEPT), ("files", FILES_KEPT)):
            for path in self._path.glob(f"{folder}/*"):
                if path.stat().st_mtime < time.time() - kept.total_seconds():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def files() -> Bucket | Folder | None:
    """Return the place of the files of exports.

    It is None if the settings name neither a bucket nor a folder.
    """
    if bucket := os.environ.get("LOGS_EXPORTS_BUCKET"):
        return _bucket(bucket)
    folder = os.environ.get("LOGS_EXPORTS_FOLDER")
    return Folder(Path(folder)) if folder else None


@cache
def _bucket(name: str) -> Bucket:
    return Bucket(name)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (OSError, *AWS_ERRORS) as error:
        raise FilesUnavailable(str(error)) from error
