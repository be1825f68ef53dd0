"""Imports go one way, as docs/design.md describes; what must start fast loads no Django."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# module → the modules of ours that it may import; a name that ends in a dot stands for all below it.
ARROWS = {
    "logs.times": set(),
    "logs.endpoints": set(),
    "logs.models": {"logs.times"},
    "logs.document": {"logs.models"},
    "logs.choices": {"logs.models"},
    "logs.parts": {"logs.document", "logs.models"},
    "logs.tables": set(),
    "logs.filters": {"logs.models", "logs.times"},
    "logs.plan": {"logs.filters", "logs.models", "logs.times"},
    "logs.sentence": {"logs.filters", "logs.plan"},
    "logs.cursor": {"logs.plan"},
    "logs.merge": {"logs.models", "logs.plan", "logs.times"},
    "logs.reader": {
        "logs.document",
        "logs.merge",
        "logs.models",
        "logs.parts",
        "logs.plan",
        "logs.times",
    },
    "logs.conf": {"logs.merge"},
    "logs.answer": {"logs.conf", "logs.cursor", "logs.forms", "logs.plan", "logs.reader"},
    "logs.schemas": {
        "logs.filters",
        "logs.answer",
        "logs.cursor",
        "logs.document",
        "logs.fields",
        "logs.forms",
        "logs.models",
        "logs.plan",
        "logs.sentence",
        "logs.times",
    },
    "logs.api": {"logs.answer", "logs.cursor", "logs.forms", "logs.reader", "logs.schemas"},
    "logs.fields": {"logs.times"},
    "logs.forms": {"logs.conf", "logs.fields", "logs.filters", "logs.plan"},
    "logs.listing": {
        "logs.filters",
        "logs.answer",
        "logs.choices",
        "logs.conf",
        "logs.cursor",
        "logs.forms",
        "logs.models",
        "logs.plan",
        "logs.reader",
        "logs.sentence",
        "logs.times",
    },
    "logs.room": set(),
    "logs.detail": {
        "logs.filters",
        "logs.document",
        "logs.forms",
        "logs.listing",
        "logs.models",
        "logs.plan",
        "logs.room",
        "logs.times",
    },
    "logs.export": {
        "logs.answer",
        "logs.conf",
        "logs.cursor",
        "logs.forms",
        "logs.merge",
        "logs.models",
        "logs.plan",
        "logs.reader",
        "logs.room",
        "logs.times",
    },
    "logs.views": {
        "logs.answer",
        "logs.cursor",
        "logs.detail",
        "logs.export",
        "logs.forms",
        "logs.listing",
        "logs.plan",
        "logs.reader",
    },
    "logs.admin": {"logs.views"},
    "logs.apps": {"logs.conf", "logs.endpoints", "logs.models"},
    "logs.management.": {"logs.endpoints", "logs.parts", "logs.reader", "logs.tables"},
    "logs.migrations.": set(),
}
WITHOUT_DJANGO = [
    "logs.times",
    "logs.models",
    "logs.document",
    "logs.parts",
    "logs.choices",
    "logs.tables",
    "logs.filters",
    "logs.plan",
    "logs.sentence",
    "logs.merge",
    "logs.reader",
]


def modules(package: str) -> dict[str, ast.Module]:
    """Return the package's modules by their dotted names."""
    found = {}
    for path in (ROOT / package).rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.Module, ours: set[str]) -> set[str]:
    """Return the full names of what a module imports, at its top and inside its functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in ours else node.module for name in whole}
    return names


ALL = {name: tree for package in ("logs", "ingest", "logsite") for name, tree in modules(package).items()}
IMPORTS = {name: imports(tree, set(ALL)) for name, tree in ALL.items()}


def inside(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


@pytest.mark.parametrize("name", sorted(inside(set(ALL), "logs")))
def test_a_module_of_logs_imports_what_the_map_allows(name: str) -> None:
    package = ".".join(name.split(".")[:2]) + "."
    allowed = ARROWS[name] if name in ARROWS else ARROWS.get(package, set())
    assert inside(IMPORTS[name], "logs") <= allowed


def test_the_map_names_no_module_that_is_gone() -> None:
    assert {name for name in ARROWS if not name.endswith(".")} <= set(ALL)


def test_logs_knows_neither_the_site_nor_the_way_in() -> None:
    for name in inside(set(ALL), "logs"):
        assert not inside(IMPORTS[name], "logsite"), name
        assert not inside(IMPORTS[name], "ingest"), name


def test_the_way_in_knows_neither_the_site_nor_django_nor_the_pages() -> None:
    allowed = {"logs.times", "logs.models", "logs.document", "logs.parts", "logs.choices"}
    for name in inside(set(ALL), "ingest"):
        assert not inside(IMPORTS[name], "logsite"), name
        # The helper for a main application in Django.
        assert name == "ingest.django" or not inside(IMPORTS[name], "django"), name
        assert inside(IMPORTS[name], "logs") <= allowed, name


def test_the_client_reaches_no_further_than_the_times() -> None:
    reached, ahead = set(), {"ingest.client"}
    while ahead:
        name = ahead.pop()
        reached.add(name)
        ahead |= (IMPORTS.get(name, set()) & set(ALL)) - reached
    assert inside(reached, "logs") <= {"logs.times"}


@pytest.mark.parametrize("name", [name for name, tree in ALL.items() if f"{name}.".count(".") <= 2])
def test_package_files_are_empty(name: str) -> None:
    path = ROOT / name.replace(".", "/") / "__init__.py"
    assert not path.exists() or path.read_text() == ""


@pytest.mark.parametrize("module", [*WITHOUT_DJANGO, "ingest.handler", "ingest.client"])
def test_what_must_start_fast_loads_no_django(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(name for name in sys.modules if '.' not in name))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(run.stdout.split())
    assert "django" not in loaded
    if module == "ingest.client":
        assert not {"pynamodb", "aws_lambda_powertools"} & loaded
