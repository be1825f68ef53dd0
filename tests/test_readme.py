"""What the README and .env.example promise is what the code reads."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Set by us for child processes, or read by Django, a shell or Lambda themselves.
NOT_OURS = {
    "AWS_LAMBDA_FUNCTION_NAME",
    "DJANGO_SETTINGS_MODULE",
    "PYTHONUNBUFFERED",
    "POWERTOOLS_METRICS_DISABLED",
}
READ = re.compile(
    r"""(?:environ(?:\.get\(|\[)|getenv\(|env(?:\.\w+)?\(|_number\()\s*["']([A-Z][A-Z0-9_]+)["']"""
)


def settings_that_the_code_reads() -> set[str]:
    sources = [path for package in ("ingest", "logs", "logsite") for path in (ROOT / package).rglob("*.py")]
    names = {name for path in sources for name in READ.findall(path.read_text())}
    assert {"SECRET_KEY", "LOGS_TABLE"} <= names, "the search finds nothing: the test is broken"
    return names - NOT_OURS


def test_every_setting_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert not {name for name in settings_that_the_code_reads() if f"`{name}`" not in readme}


def test_every_setting_stands_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert not settings_that_the_code_reads() - named
