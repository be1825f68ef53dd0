"""README, docs/ and .env.example match the code: links, modules, filters, settings, commands, parameters."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands

from ingest.__main__ import main as ingest_main
from logs.filters import FILTERS
from logs.page_form import PageForm
from tests.templates import NAMES, template

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TEXTS = {path: path.read_text() for path in PAGES}
README = TEXTS[ROOT / "README.md"]
SETTINGS = TEXTS[ROOT / "docs" / "settings.md"]
DESIGN = TEXTS[ROOT / "docs" / "design.md"]
FILTER_PAGE = TEXTS[ROOT / "docs" / "pages.md"]
MAX_README_LINES = 150
# GitHub shows code blocks of this width without a scroll bar.
MAX_README_WIDTH = 110

# Logsite sets these for child processes, or Django, a shell or Lambda read them.
NOT_OURS = {
    "AWS_LAMBDA_FUNCTION_NAME",
    "DJANGO_SETTINGS_MODULE",
    "PYTHONUNBUFFERED",
    "POWERTOOLS_METRICS_DISABLED",
}
# Parameters of the templates that `make deploy` sets itself.
SET_BY_DEPLOY = {
    *("Stage", "Alarms", "DeletionProtection", "TlsOnly"),
    *("LogsQueueArn", "LogsQueueName", "AlarmTopicArn"),
}
READ = re.compile(
    r"""(?:environ(?:\.get\(|\[)|getenv\(|env(?:\.\w+)?\(|\w*number\()\s*["']([A-Z][A-Z0-9_]+)["']"""
)
QUOTED = re.compile(r"""["']([A-Z][A-Z0-9_]+)["']""")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# A path in the repository, in inline code.
PATH = re.compile(r"`((?:bench|deploy|docs|ingest|logs|logsite|tests)/[\w./-]+)`")
# The packages whose modules docs/design.md lists.
MAPPED_PACKAGES = ("logs", "ingest", "logsite", "deploy")
# A row of a table that begins with code: its cells.
ROW = re.compile(r"^\| (`.+`) \| (.+) \|$", re.MULTILINE)


def sources() -> Iterator[str]:
    """Yield the source of each module of the packages."""
    for package in ("ingest", "logs", "logsite"):
        for path in (ROOT / package).rglob("*.py"):
            yield path.read_text()


def settings_in_code() -> set[str]:
    """Return the environment variables that the packages read."""
    names = {name for source in sources() for name in READ.findall(source)}
    expected = {"SECRET_KEY", "LOGS_TABLE", "LOGS_MAX_SECONDS", "LOGS_SORTING_SHARDS"}
    assert expected <= names, "the search misses settings: the test is broken"
    return names - NOT_OURS


def modules() -> set[str]:
    """Return the modules that docs/design.md lists, as paths without `.py`."""
    paths = {path.relative_to(ROOT) for name in MAPPED_PACKAGES for path in (ROOT / name).rglob("*.py")}
    return {
        path.with_suffix("").as_posix()
        for path in paths
        if path.name != "__init__.py"
        and "migrations" not in path.parts
        and path.parts[-3:-1] != ("management", "commands")
    }


def modules_in_design() -> list[str]:
    """Return the entries of the tables below `## Modules`, with the folder in their heading."""
    text = DESIGN.split("\n## Modules\n")[1].split("\n## ")[0]
    sections = re.split(r"^### `(.+)/`", text, flags=re.MULTILINE)[1:]
    return [
        f"{folder}/{name}"
        for folder, section in zip(sections[::2], sections[1::2], strict=True)
        for cell, _ in ROW.findall(section)
        for name in re.findall(r"`([^`]+)`", cell)
    ]


def rows(text: str) -> dict[str, str]:
    """Return the second cells of a table by the code in its first cells."""
    return {cell.strip("`"): second for cell, second in ROW.findall(text)}


def code_in_docs() -> str:
    """Return the code blocks and inline code of all pages, one per line."""
    code: list[str] = []
    for text in TEXTS.values():
        code += FENCE.findall(text)
        code += re.findall(r"`([^`]+)`", FENCE.sub("", text))
    return "\n".join(code)


CODE = code_in_docs()


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", TEXTS[path]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def make_targets() -> set[str]:
    """Return the targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    return {name for line in re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE) for name in line.split()}


def own_commands() -> set[str]:
    """Return the commands of manage.py that Logsite defines."""
    return {name for name, app in get_commands().items() if str(app).split(".")[0] in ("logs", "logsite")}


def ingest_commands(capsys: pytest.CaptureFixture[str], *arguments: str) -> set[str]:
    """Return the subcommands that the help of `python -m ingest` lists."""
    with pytest.raises(SystemExit):
        ingest_main([*arguments, "--help"])
    return set(re.findall(r"^    ([a-z][a-z-]*)\s", capsys.readouterr().out, re.MULTILINE))


def test_readme_is_short() -> None:
    lines = README.splitlines()
    assert len(lines) <= MAX_README_LINES
    assert not [line for line in lines if len(line) > MAX_README_WIDTH]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_has_one_title(path: Path) -> None:
    titles = re.findall(r"^# .+$", FENCE.sub("", TEXTS[path]), re.MULTILINE)
    assert len(titles) == 1
    assert TEXTS[path].startswith(titles[0])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", TEXTS[path])):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_index_links_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(TEXTS[index])}
    assert not set(PAGES) - linked - {index}
    assert index in {(ROOT / link).resolve() for link in LINK.findall(README)}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_paths_in_code_exist(path: Path) -> None:
    assert not [name for name in PATH.findall(FENCE.sub("", TEXTS[path])) if not (ROOT / name).exists()]


def test_design_page_lists_every_module_once() -> None:
    listed = modules_in_design()
    others = {name for name in listed if name.endswith("/") or Path(name).suffix}
    assert sorted(set(listed) - others) == sorted(modules())
    assert len(listed) == len(set(listed))
    assert not [name for name in others if not (ROOT / name).exists()]


def test_design_page_names_existing_modules() -> None:
    named = set(re.findall(r"`((?:logs|ingest|logsite)(?:\.\w+)+)`", DESIGN))
    assert {"logs.reading.page", "ingest.client"} <= named, "the search misses modules: the test is broken"
    paths = {name: ROOT / name.replace(".", "/") for name in named}
    assert not [
        name for name, path in paths.items() if not (path.is_dir() or path.with_suffix(".py").exists())
    ]


def test_filter_table_equals_the_filters() -> None:
    table = FILTER_PAGE.split("<!-- filters -->")[1].split("<!-- /filters -->")[0]
    assert rows(table) == {each.parameter: each.description for each in FILTERS.values()}


def test_filter_page_lists_every_other_parameter() -> None:
    text = FILTER_PAGE.split("<!-- /filters -->")[1].split("\n## ")[0]
    assert sorted(rows(text)) == sorted(
        PageForm.base_fields.keys() - {each.parameter for each in FILTERS.values()}
    )


def test_settings_page_lists_every_setting() -> None:
    assert not {name for name in settings_in_code() if f"`{name}`" not in SETTINGS}


def test_settings_page_lists_no_other_setting() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \|", SETTINGS, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    # botocore reads AWS's own variables.
    ours = {name for name in listed if not name.startswith("AWS_")}
    assert {"SECRET_KEY", "LOGS_TABLE"} <= ours, "the search misses rows: the test is broken"
    assert not ours - {name for source in sources() for name in QUOTED.findall(source)}


def test_example_lists_every_setting() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert not settings_in_code() - named


def test_docs_name_every_management_command() -> None:
    direct = re.findall(r"manage\.py ([a-z_]+)", CODE)
    deployed = re.findall(r'make manage (?:\w+=\S+ )*ARGS="([a-z_]+)', CODE)
    named = {*direct, *deployed}
    assert {"doctor", "dead_letters"} <= own_commands(), "the search misses commands: the test is broken"
    assert not own_commands() - named
    assert not named - get_commands().keys()


def test_docs_name_every_ingest_command(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"python -m ingest ([a-z-]+)", CODE))
    assert named == ingest_commands(capsys)


def test_docs_name_every_dead_letter_action(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"dead[-_]letters ([a-z]+)", CODE))
    assert named == ingest_commands(capsys, "dead-letters")


def test_docs_name_every_make_target() -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", CODE))
    assert named == make_targets()


def test_deploy_page_lists_every_parameter() -> None:
    page = TEXTS[ROOT / "docs" / "deploy.md"].split("\n## Parameters\n")[1]
    listed = dict(re.findall(r"^\| `([A-Z]\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    declared: dict[str, Any] = {}
    for name in NAMES:
        declared |= template(name)["Parameters"]
    expected = {
        name: str(parameter.get("Default", "required")) or "none"
        for name, parameter in declared.items()
        if name not in SET_BY_DEPLOY
    }
    assert listed == expected


def test_security_page_names_existing_tests() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXTS[ROOT / "SECURITY.md"]))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 20, "the search misses tests: the test is broken"
    assert not named - set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE))
