"""Names, test names and docstrings follow CONTRIBUTING.md. The tables below are the whole rule."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ingest", "logs", "logsite", "deploy", "bench", "docs")

# A verb or a participle names nothing. Use the noun: items, envelope, filter, response, page, record.
BANNED_NAMES = {"found", "told", "known", "asked", "given", "made", "said"}

# term of the field → the modules where a reader searches for it
TERMS = {
    "backoff": ["ingest/wire/backoff.py"],
    "jitter": ["ingest/wire/backoff.py"],
    "retry": ["ingest/writing/retry.py"],
    "idempotent": ["ingest/writing/items.py"],
    "truncate": ["ingest/sending/size.py"],
    "serialize": ["ingest/sending/serialize.py"],
    "redrive": ["ingest/cli/dlq/redrive.py"],
    "visibility timeout": ["ingest/cli/dlq/queue.py", "ingest/worker.py"],
    "dead-letter queue": ["ingest/cli/dlq/queue.py", "ingest/writing/dead_letters.py"],
}

MAX_TEST_NAME = 59
MAX_SENTENCE_WORDS = 14
BANNED_BEGINNINGS = ("Tell whether ", "Say ")


def sources(folder: str) -> list[Path]:
    """Return the Python files in a folder of the project."""
    return sorted((ROOT / folder).rglob("*.py"))


def bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that one node of a syntax tree introduces or passes on."""
    match node:
        case ast.Name(
            id=name, ctx=ast.Store()
        ):  # assignments, fields of classes, `for`, `with`, comprehensions
            yield name
        case (
            ast.Attribute(attr=name, ctx=ast.Store())
            | ast.Attribute(attr=name, value=ast.Name(id="self" | "cls"))
        ):
            yield name
        case ast.arg(arg=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias():
            yield node.asname or node.name.rpartition(".")[2]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names


def banned_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of each use of a banned name, with or without leading underscores."""
    for node in ast.walk(tree):
        for name in bound_names(node):
            if name.strip("_") in BANNED_NAMES:
                yield getattr(node, "lineno", 0), name


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of the docstrings of the module and of its public classes and functions."""
    pending: list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [tree]
    while pending:
        node = pending.pop(0)
        if text := ast.get_docstring(node):
            yield node.body[0].lineno, text
        if isinstance(node, ast.Module | ast.ClassDef):
            pending += [
                child
                for child in node.body
                if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                and not child.name.startswith("_")
            ]


def first_sentence(text: str) -> str:
    """Return the text up to its first period before a space, or to its first blank line."""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", paragraph)[0]


def docstring_violations(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and first sentence of each docstring whose beginning or length breaks the rules."""
    for line, text in docstrings(tree):
        sentence = first_sentence(text)
        if len(sentence.split()) > MAX_SENTENCE_WORDS or sentence.startswith(BANNED_BEGINNINGS):
            yield line, sentence


def place(path: Path, line: int, text: str) -> str:
    """Return a line of a report: where it is, and what is there."""
    return f"{path.relative_to(ROOT)}:{line}: {text}"


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_no_banned_participles(package: str) -> None:
    violations = [
        place(path, line, name)
        for path in sources(package)
        for line, name in sorted(banned_names(ast.parse(path.read_text())))
    ]
    assert violations == [], "\n".join([f"{len(violations)} banned names", *violations])


def test_test_names_are_short_and_lower_case() -> None:
    violations = [
        place(path, node.lineno, node.name)
        for path in sources("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
        if len(node.name) > MAX_TEST_NAME or not re.fullmatch(r"test_[a-z0-9_]+", node.name)
    ]
    assert violations == [], "\n".join([f"{len(violations)} test names", *violations])


@pytest.mark.parametrize(
    ("term", "module"),
    [(term, module) for term, modules in TERMS.items() for module in modules],
    ids=lambda value: value.replace(" ", "_"),
)
def test_term_occurs_in_its_module(term: str, module: str) -> None:
    path = ROOT / module
    assert path.exists(), f"{module} is missing: correct TERMS"
    assert term in path.read_text().lower(), f"{module} does not contain “{term}”"


@pytest.mark.parametrize("package", PACKAGES)
def test_docstring_begins_with_a_short_sentence(package: str) -> None:
    violations = [
        place(path, line, sentence)
        for path in sources(package)
        for line, sentence in docstring_violations(ast.parse(path.read_text()))
    ]
    assert violations == [], "\n".join([f"{len(violations)} docstrings", *violations])


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "found: int",
        "found += 1",
        "(found := 1)",
        "a, (b, *found) = c",
        "class C:\n found: int = 1",
        "class found: pass",
        "def found(): pass",
        "async def found(): pass",
        "def f(found): pass",
        "def f(*found): pass",
        "def f(*, found=1): pass",
        "lambda found: 1",
        "f(found=1)",
        "self.found = 1",
        "a.found = 1",
        "print(self.found)",
        "print(self._found)",
        "import found",
        "import a as found",
        "from a import b as found",
        "from a import found",
        "for found in a: pass",
        "with a as found: pass",
        "[b for found in a]",
        "try: pass\nexcept E as found: pass",
        "match a:\n case found: pass",
        "match a:\n case [*found]: pass",
        "match a:\n case {**found}: pass",
    ],
    ids=lambda source: re.sub(r"\W+", "_", source).strip("_"),
)
def test_checker_finds_a_banned_name(source: str) -> None:
    assert {name.strip("_") for _, name in banned_names(ast.parse(source))} == {"found"}


@pytest.mark.parametrize(
    "source",
    ["founder = 1", "print(found)", "a.found()", '"found"', "# found", 'a["found"]'],
    ids=["part", "load", "method", "text", "comment", "key"],
)
def test_checker_ignores_other_uses(source: str) -> None:
    assert list(banned_names(ast.parse(source))) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Return a log.", "Return a log."),
        ("Return a log. It is one.", "Return a log."),
        ("Return `logs.models`\nand more.\n\nDetails.", "Return `logs.models` and more."),
        ("Return a log\n\nDetails.", "Return a log"),
    ],
    ids=["one", "two", "two_lines", "no_period"],
)
def test_first_sentence_ends_at_a_period_or_blank_line(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""' + "word " * 14 + '"""', []),
        ('"""' + "word " * 15 + '"""', [1]),
        ('def f():\n    """Tell whether it is."""', [2]),
        ('def _f():\n    """Tell whether it is."""', []),
        ('class C:\n    """A class."""\n    def f(self):\n        """Say it."""', [4]),
        ('class _C:\n    def f(self):\n        """Say it."""', []),
    ],
    ids=["short", "long", "beginning", "private_function", "method", "private_class"],
)
def test_checker_finds_docstrings(source: str, lines: list[int]) -> None:
    assert [line for line, _ in docstring_violations(ast.parse(source))] == lines
