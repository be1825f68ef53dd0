"""Reading CSV, NDJSON and JSON arrays as the source of an import."""

import gzip
import json
import tracemalloc
from argparse import ArgumentParser
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ingest.imports.arguments import add_source_arguments, open_source
from ingest.imports.rows import BadRow, Row, Source, SourceError
from ingest.imports.sources import csv_file

BOM = b"\xef\xbb\xbf"
ROWS = [{"id": 1, "text": "Zoë 😀", "list": [1.5, None]}, {"id": 2, "more": True}]


def source_of(path: Path, *arguments: str) -> Source:
    """Return the source of a file, as a command opens it."""
    parser = ArgumentParser()
    add_source_arguments(parser)
    return open_source(vars(parser.parse_args([str(path), *arguments])))


def write(path: Path, content: bytes | str) -> Path:
    """Write a file and return its path."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def values_of(source: Source, after: Any = None) -> list[dict[str, Any] | str]:
    """Return the values of the rows after a position, and the reasons of the refused ones."""
    return [row.values if isinstance(row, Row) else str(row) for row in source.rows(after)]


@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gzip"])
def test_json_is_read_as_lines_and_as_array(tmp_path: Path, is_compressed: bool) -> None:
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    contents = {
        "lines.ndjson": BOM + lines.encode(),
        "array.json": BOM + json.dumps(ROWS, indent=2).encode(),
        "blank.ndjson": f"\n{lines}\n\n".encode(),
    }
    for name, content in contents.items():
        path = write(tmp_path / name, gzip.compress(content) if is_compressed else content)
        source = source_of(path)
        assert values_of(source) == ROWS
        assert source.table == name.partition(".")[0]
        assert [(column.name, column.kind) for column in source.columns()] == [
            *(("id", "number"), ("text", "text"), ("list", "array"), ("more", "true or false"))
        ]
        assert source.total() == 2
        positions = [row.position for row in source.rows() if isinstance(row, Row)]
        assert values_of(source, positions[0]) == ROWS[1:]
        assert values_of(source, positions[1]) == []


def test_invalid_json_is_refused_by_line(tmp_path: Path) -> None:
    lines = [b'{"id": 1}', b'{"id": NaN}', b'{"id": "Z\xfcrich"}', b"[1]", b'{"id": 5', b'{"id": 6}']
    rows = values_of(source_of(write(tmp_path / "logs.ndjson", b"\n".join(lines))))
    assert [rows[0], rows[5]] == [{"id": 1}, {"id": 6}]
    assert all(str(row).startswith(f"row {number}: body: must be") for number, row in enumerate(rows[1:5], 2))
    array = write(tmp_path / "logs.json", '[{"id": 1}, {"id": 2}')
    with pytest.raises(SourceError, match=r"logs\.json: The JSON is incomplete: it ends after log 1"):
        values_of(source_of(array))


CSV = 'id;name;"the text"\n1;Zoë;"two\nlines; ""quoted"""\n2;;\\N\n\n3; ;NULL\n'
CSV_ROWS = [
    {"id": "1", "name": "Zoë", "the text": 'two\nlines; "quoted"'},
    {"id": "2", "name": None, "the text": None},
    {"id": "3", "name": " ", "the text": "NULL"},
]


def test_csv_is_read_in_each_encoding(tmp_path: Path) -> None:
    for name, content, arguments in [
        ("plain.csv", CSV.encode(), []),
        ("marked.csv", BOM + CSV.replace("\n", "\r\n").encode(), []),
        ("tabs.tsv.gz", gzip.compress(CSV.replace(";", "\t").encode()), []),
        ("western.csv", CSV.encode("cp1252"), ["--encoding", "cp1252"]),
        ("wide.csv", CSV.encode("utf-16"), ["--encoding", "utf-16"]),
        ("wide.csv.gz", gzip.compress(CSV.encode("utf-16-le")), ["--encoding", "utf-16-le"]),
    ]:
        source = source_of(write(tmp_path / name, content), *arguments)
        rows = json.loads(json.dumps(values_of(source)).replace("\\r\\n", "\\n").replace("\\t", ";"))
        assert rows == CSV_ROWS, name
        assert [column.name for column in source.columns()] == ["id", "name", "the text"]
        assert len(values_of(source, 1)) == 2
        assert [row.key for row in source.rows(2)] == ["3"]


def test_csv_refuses_rows_with_their_lines(tmp_path: Path) -> None:
    content = b'id,name\n1,"a\nb"\n2\n3,Z\xfcrich\n4,d,e\n5,f\n'
    rows = list(source_of(write(tmp_path / "logs.csv", content)).rows())
    assert [(row.key, row.column, row.reason) for row in rows if isinstance(row, BadRow)] == [
        ("2", None, "has 1 values, but the header has 2 columns (line 4)"),
        ("3", "name", f"{csv_file.UTF_8} (line 5)"),
        ("4", None, "has 3 values, but the header has 2 columns (line 6)"),
    ]
    assert [row.key for row in rows if isinstance(row, Row)] == ["1", "5"]
    assert [row.position for row in rows] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "content", "arguments", "text"),
    [
        ("logs.csv", "id,,name\n1,2,3\n", [], "must name the columns, each once and none of them empty"),
        ("logs.csv", "id,id\n1,2\n", [], "each once"),
        ("logs.csv", "\n \n", [], "is empty"),
        ("logs.csv", "id,name\r1,2\r", [], "must end with LF or CR LF"),
        ("logs.csv", "Größe,name\n1,2\n".encode("cp1252"), [], "The first line of logs.csv is not in UTF-8"),
        ("logs.csv", 'id,name\n1,"a\n' + "b\n" * 9_000, [], "from line 2: .* quote may be unclosed"),
        (
            "logs.csv",
            "id,name\n".encode("utf-16"),
            [],
            "is in UTF-16.*iconv -f UTF-16",
        ),
        ("logs.zip", b"PK\x03\x04....", [], "is a zip archive"),
        ("logs.gz", gzip.compress(b'{"id": 1}\n' * 999)[:-20], [], "damaged or incomplete gzip file"),
        ("logs.gz", gzip.compress(gzip.compress(b"{}")), [], "compressed twice"),
        ("logs.csv", b"id\n\x81\n", ["--encoding", "cp1252"], "is not in .*Correct --encoding"),
        ("logs.csv", "id\n1\n", ["--table", "logs"], "--table is for databases"),
        ("mysq://user:Hidden@host", None, [], "SOURCE is no file"),
        ("nothing.csv", None, [], "SOURCE is no file"),
    ],
    ids=[
        *(
            "unnamed",
            "repeated",
            "empty",
            "cr",
            "latin",
            "quote",
            "utf16",
            "zip",
            "cut",
            "twice",
            "encoding",
            "table",
        ),
        *("scheme", "missing"),
    ],
)
def test_unreadable_file_is_refused(
    tmp_path: Path,
    name: str,
    content: str | bytes | None,
    arguments: list[str],
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_file, "MAX_INFLATED_BYTES", 10_000)
    path = tmp_path / name if content is None else write(tmp_path / name, content)
    with pytest.raises(SourceError, match=text) as info:
        values_of(source_of(path, *arguments))
    assert "Hidden" not in str(info.value)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    record = {"id": 1, "text": "x" * 2_000}
    count = 5_000  # 10 MB
    array = "[" + ",".join([json.dumps(record)] * count) + "]"
    table = "id,text\n" + f"1,{record['text']}\n" * count
    for name, content in [("logs.json", array), ("logs.csv", table)]:
        path = write(tmp_path / name, gzip.compress(content.encode(), 1))
        assert 0.8 < (source_of(path).total() or 0) / count < 1.2
        tracemalloc.start()
        assert sum(1 for _ in source_of(path).rows()) == count
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        tracemalloc.stop()
    rows = source_of(path).rows()
    assert len(list(islice(rows, 2))) == 2
