"""Imports go one way, as docs/design.md describes. The tables below are the whole rule."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# package → other packages of this project that it may import
PACKAGES: dict[str, set[str]] = {
    "logs": set(),
    "ingest": {"logs"},
    "logsite": {"ingest", "logs"},
    "deploy": {"ingest"},
    "docs": {"tests"},
    "bench": {"deploy", "ingest", "logs", "logsite", "tests"},
}

PLANNING = {
    "logs.folding",
    "logs.times",
    "logs.models",
    "logs.conditions",
    "logs.json_path",
    "logs.request_ids",
    "logs.filters",
    "logs.index_choice",
    "logs.plan_error",
    "logs.plan",
}
STORAGE = {"logs.times", "logs.models", "logs.storage"}
TEXTS = {"logs.characters", "logs.folding", "logs.search_text", "logs.text_match"}
JSON_PATH = {"logs.json_path", "logs.characters", "logs.folding", "logs.storage"}
READING = {*PLANNING, *STORAGE, *TEXTS, "logs.digests", "logs.reading"}
TIME = {"logs.zones", "logs.local_clock", "logs.time_text", "logs.range_text", "logs.time_range"}
FORMS = {
    *PLANNING,
    "logs.characters",
    "logs.spelling",
    "logs.key_values",
    "logs.cursor",
    "logs.conf",
    "logs.fields",
    "logs.path_fields",
    "logs.form_fields",
    "logs.forms",
    *TIME,
    "logs.page_form",
}
EXPORTS = {*READING, "logs.characters", "logs.reader", "logs.zones", "logs.exports"}
PAGES = {
    *READING,
    *FORMS,
    *EXPORTS,
    "logs.counter",
    "logs.api_form",
    "logs.counts_form",
    "logs.list_form",
    "logs.saved_views",
    "logs.pages",
}
VIEWS = {*PAGES, "logs.frame", "logs.permissions", "logs.request_form", "logs.row_views", "logs.signals"}
API = {"logs.api_errors", "logs.api_links", "logs.api_usage", "logs.api_views"}

# layer → layers that it may import. A layer is a module or a package. The modules of a package may import
# one another.
LAYERS: dict[str, set[str]] = {
    "logs.times": set(),
    "logs.characters": set(),
    "logs.folding": set(),
    "logs.search_text": {"logs.characters", "logs.folding", "logs.storage"},
    "logs.text_match": TEXTS - {"logs.text_match"},
    "logs.spelling": {"logs.characters"},
    "logs.key_values": {"logs.spelling"},
    "logs.models": {"logs.times"},
    "logs.json_path": JSON_PATH - {"logs.json_path"},
    "logs.request_ids": {"logs.models"},
    "logs.conditions": {"logs.folding"},
    "logs.filters": {"logs.times", "logs.models", "logs.conditions", "logs.json_path", "logs.request_ids"},
    "logs.index_choice": {"logs.models", "logs.conditions", "logs.filters"},
    "logs.plan_error": {"logs.models", "logs.conditions", "logs.filters", "logs.index_choice"},
    "logs.plan": PLANNING - {"logs.plan"},
    "logs.cursor": PLANNING,
    "logs.storage": {"logs.times", "logs.models"},
    "logs.digests": {*STORAGE, *TEXTS},
    "logs.reading": {*PLANNING, *STORAGE, *TEXTS, "logs.digests"},
    "logs.reader": READING,
    "logs.counter": READING,
    "logs.conf": READING,
    "logs.zones": set(),
    "logs.local_clock": set(),
    "logs.time_text": {"logs.local_clock"},
    "logs.range_text": {"logs.local_clock"},
    "logs.time_range": {"logs.characters", *TIME} - {"logs.zones", "logs.time_range"},
    "logs.fields": {"logs.times", "logs.characters", "logs.spelling", "logs.zones", "logs.time_text"},
    "logs.path_fields": {"logs.fields", "logs.json_path"},
    "logs.form_fields": {"logs.conditions", "logs.filters", "logs.fields"},
    "logs.forms": FORMS - {*TIME, "logs.forms", "logs.page_form"},
    "logs.page_form": FORMS - {"logs.page_form"},
    "logs.api_form": FORMS,
    "logs.counts_form": {"logs.api_form", *FORMS, *READING},
    "logs.list_form": {"logs.api_form", *FORMS},
    "logs.exports": EXPORTS - {"logs.exports"},
    "logs.saved_views": {"logs.characters", "logs.storage"},
    "logs.pages": PAGES - {"logs.pages"},
    "logs.requests": {"logs.characters"},
    "logs.permissions": set(),
    "logs.signals": set(),
    "logs.row_views": {*PAGES, "logs.permissions", "logs.request_form", "logs.signals"},
    "logs.frame": {*PAGES, "logs.requests"},
    "logs.request_form": {*PAGES, "logs.permissions"},
    "logs.views": VIEWS | {"logs.saved_view_views"},
    "logs.saved_view_views": VIEWS,
    "logs.saved_view_routes": {"logs.frame", "logs.saved_view_views"},
    "logs.log_views": VIEWS,
    "logs.number_views": VIEWS,
    "logs.export_form": PAGES,
    "logs.export_views": {*VIEWS, "logs.export_form", "logs.views"},
    "logs.live_views": VIEWS,
    "logs.api_errors": {*PAGES, "logs.requests"},
    "logs.api_links": set(),
    "logs.api_usage": PAGES,
    "logs.api_views": {*PAGES, "logs.permissions", "logs.signals", *API} - {"logs.api_views"},
    "logs.api": {"logs.reading", "logs.apps", "logs.requests", *API},
    "logs.admin": {
        "logs.export_views",
        "logs.live_views",
        "logs.log_views",
        "logs.number_views",
        "logs.plan",
        "logs.saved_view_routes",
        "logs.views",
    },
    "logs.apps": {"logs.conf", *STORAGE},
    "logs.management": {
        *STORAGE,
        "logs.digests",
        "logs.characters",
        "logs.reader",
        "logs.signals",
        "logs.export_form",
        *PAGES,
    },
    "logs.migrations": set(),
}

# The packages of `ingest` that may import `logs`, and the layers that they may import.
WRITER_IMPORTS = {"logs.storage", "logs.models"}
WRITER = {
    "ingest.writing": WRITER_IMPORTS,
    "ingest.handler": WRITER_IMPORTS,
    "ingest.imports": {*WRITER_IMPORTS, "logs.digests", "logs.zones"},
}
# The only modules of `ingest` that `deploy` imports. They import no third package.
TERMINAL = "ingest.cli.terminal"
MASKING_RULES = "ingest.masking.rules"
# The parts of `ingest` for a main application in Django. Nothing else of `ingest` imports Django.
DJANGO_PARTS = {"ingest.django", "ingest.request_fields", "ingest.capture"}

WITHOUT_DJANGO = [
    "logs.times",
    *sorted(TIME),
    "logs.characters",
    "logs.folding",
    "logs.search_text",
    "logs.text_match",
    "logs.models",
    "logs.json_path",
    "logs.request_ids",
    "logs.conditions",
    "logs.filters",
    "logs.index_choice",
    "logs.plan_error",
    "logs.plan",
    "logs.counter",
    "logs.reader",
    "logs.saved_views",
    "logs.storage",
    "logs.digests",
    "logs.reading",
    "logs.exports",
    "logs.pages.changes",
    "logs.pages.sentence",
    "ingest.client",
    "ingest.handler",
    "ingest.imports",
    "ingest.worker",
]
# module of the contract → the only module of Django that it imports
NEEDS_DJANGO = {"logs.cursor": "django.core.signing"}


def read_modules() -> dict[str, Path]:
    """Return the files of all packages by the dotted names of their modules."""
    modules = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = path
    return modules


MODULES = read_modules()


@cache
def parse(name: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(MODULES[name].read_text())


def imported_names(node: ast.AST) -> set[str]:
    """Return the full names that one import statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        names = {f"{node.module}.{alias.name}" for alias in node.names}
        return {node.module if node.module in MODULES and name not in MODULES else name for name in names}
    return set()


@cache
def imports(name: str) -> set[str]:
    """Return the full names that a module imports."""
    return {imported for node in ast.walk(parse(name)) for imported in imported_names(node)}


def is_within(name: str, package: str) -> bool:
    """Return whether the module is the package or is in it."""
    return name == package or name.startswith(f"{package}.")


def within(names: Iterable[str], package: str) -> set[str]:
    """Return the modules that are the package or are in it."""
    return {name for name in names if is_within(name, package)}


DJANGO_MODULES = {name for part in DJANGO_PARTS for name in within(MODULES, part)}


def layer_of(name: str) -> str | None:
    """Return the layer of a module, or None if the table has none."""
    return next((layer for layer in LAYERS if is_within(name, layer)), None)


def closure(start: str) -> set[str]:
    """Return the modules of the project that importing this one loads, with their packages."""
    modules: set[str] = set()
    pending = {start}
    while pending:
        name = pending.pop()
        modules.add(name)
        parents = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
        pending |= ((imports(name) | parents) & MODULES.keys()) - modules
    return modules


@pytest.mark.parametrize("name", sorted(within(MODULES, "logs") - {"logs"}))
def test_module_of_logs_imports_only_lower_layers(name: str) -> None:
    layer = layer_of(name)
    assert layer, f"{name} has no layer: add it to LAYERS"
    allowed = {layer, *LAYERS[layer]}
    violations = [target for target in within(imports(name), "logs") if layer_of(target) not in allowed]
    assert violations == [], f"{name} may import {sorted(allowed)} only"


def test_layers_name_existing_modules() -> None:
    names = {
        *LAYERS,
        *WRITER,
        *(target for targets in WRITER.values() for target in targets),
        *WITHOUT_DJANGO,
        *NEEDS_DJANGO,
        *DJANGO_PARTS,
        TERMINAL,
        MASKING_RULES,
    }
    names |= {target for targets in LAYERS.values() for target in targets}
    assert names - MODULES.keys() == set()


def test_layers_have_no_cycle() -> None:
    TopologicalSorter(LAYERS).prepare()  # raises CycleError


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_only_allowed_packages(package: str) -> None:
    others = ({*PACKAGES, "tests"} - {package}) - PACKAGES[package]
    violations = {
        (name, target)
        for name in within(MODULES, package)
        for other in others
        for target in within(imports(name), other)
    }
    assert violations == set()


def test_deploy_imports_two_modules_of_ingest() -> None:
    targets = {target for name in within(MODULES, "deploy") for target in within(imports(name), "ingest")}
    assert all(is_within(target, TERMINAL) or target == MASKING_RULES for target in targets)
    assert imports(TERMINAL) == set()
    assert closure(MASKING_RULES) - {"ingest"} == within(closure(MASKING_RULES), "ingest.masking")


@pytest.mark.parametrize("name", sorted(within(MODULES, "ingest")))
def test_module_of_ingest_imports_logs_only_for_writing(name: str) -> None:
    allowed = next((targets for layer, targets in WRITER.items() if is_within(name, layer)), set())
    targets = within(imports(name), "logs")
    assert targets == {target for target in targets if any(is_within(target, each) for each in allowed)}
    assert name in DJANGO_MODULES or not within(imports(name), "django")


@pytest.mark.parametrize(
    "name", ["ingest.client", "ingest.logging_handler", "ingest.testing", *sorted(DJANGO_MODULES)]
)
def test_client_reaches_neither_logs_nor_the_writer(name: str) -> None:
    modules = closure(name)
    assert not within(modules, "logs")
    assert not within(modules, "ingest.writing")
    if name not in DJANGO_MODULES:
        assert not [module for module in modules if within(imports(module), "django")]


@pytest.mark.parametrize("layer", WITHOUT_DJANGO)
def test_layer_without_django_never_imports_it(layer: str) -> None:
    for name in within(MODULES, layer):
        assert not [module for module in closure(name) if within(imports(module), "django")], name


@pytest.mark.parametrize(("name", "django_module"), NEEDS_DJANGO.items())
def test_contract_module_imports_one_module_of_django(name: str, django_module: str) -> None:
    assert within(imports(name), "django") == within(imports(name), django_module)


@pytest.mark.parametrize("layer", WITHOUT_DJANGO)
def test_importing_a_layer_loads_no_django(layer: str) -> None:
    names = ", ".join(sorted(within(MODULES, layer)))
    program = f"import sys, {names}; print(*sorted(name for name in sys.modules if '.' not in name))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(run.stdout.split())
    assert "django" not in loaded
    if layer == "ingest.client":
        assert not {"logs", "pynamodb", "aws_lambda_powertools"} & loaded


def imports_inside_functions(tree: ast.AST, *, is_inside: bool = False) -> Iterator[int]:
    """Yield the line of each import inside a function, except below `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and is_inside:
            yield node.lineno
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from imports_inside_functions(node, is_inside=is_inside or is_function)


def is_explained(lines: list[str], number: int) -> bool:
    """Return whether a comment on this line or on the line above it gives a reason."""
    comment = lines[number - 1].partition("  # ")[2] or lines[number - 2].strip().partition("# ")[2]
    return bool(re.sub(r"(noqa|type: ignore)\S*( [A-Z]+\d+,?)*", "", comment).strip(" #"))


@pytest.mark.parametrize("package", PACKAGES)
def test_import_inside_a_function_has_a_reason(package: str) -> None:
    violations = [
        f"{MODULES[name].relative_to(ROOT)}:{number}"
        for name in within(MODULES, package)
        for number in imports_inside_functions(parse(name))
        if not is_explained(MODULES[name].read_text().splitlines(), number)
    ]
    assert violations == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import os", []),
        ("def f():\n    import os", [2]),
        ("class C:\n    import re\n    async def f(self):\n        from os import path", [4]),
        ("def f():\n    import os  # noqa: PLC0415", [2]),
        ("def f():\n    import os  # It is slow.", []),
        ("def f():\n    # It is slow.\n    import os", []),
        ("def f():\n    if TYPE_CHECKING:\n        import os", []),
    ],
    ids=["module", "function", "method", "noqa", "same_line", "line_above", "type_checking"],
)
def test_checker_finds_unexplained_imports(source: str, lines: list[int]) -> None:
    numbers = imports_inside_functions(ast.parse(source))
    assert [number for number in numbers if not is_explained(source.splitlines(), number)] == lines


@pytest.mark.parametrize("package", ["ingest", "logs", "logsite"])
def test_package_file_is_empty(package: str) -> None:
    files = [path for name in within(MODULES, package) if (path := MODULES[name]).name == "__init__.py"]
    assert files
    assert [path for path in files if path.read_text()] == []
