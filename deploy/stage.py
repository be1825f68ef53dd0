"""A stage: the names of all that belongs to it, and what zappa_settings.json says of it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "zappa_settings.json"
NAME = re.compile(r"[a-z][a-z0-9]{0,19}")


class NoSuchStage(Exception):
    """zappa_settings.json knows no such stage."""


@dataclass(frozen=True)
class Stage:
    """A stage by its name. deploy/resources.yaml makes the same names of it."""

    name: str
    build: Path = ROOT / "build"

    @property
    def writer(self) -> str:
        """The writer's stage in zappa_settings.json."""
        return f"{self.name}_writer"

    @property
    def web_function(self) -> str:
        """The Lambda function of the site; API Gateway's API and Zappa's own stack are called so too."""
        return f"logsite-{self.name}"

    @property
    def writer_function(self) -> str:
        """The Lambda function that stores logs."""
        return f"logsite-{self.name}-writer"

    @property
    def functions(self) -> dict[str, str]:
        """Both functions, by their stage in zappa_settings.json."""
        return {self.name: self.web_function, self.writer: self.writer_function}

    @property
    def resources_stack(self) -> str:
        """The stack of deploy/resources.yaml."""
        return f"logsite-{self.name}-resources"

    @property
    def mapping_stack(self) -> str:
        """The stack of deploy/mapping.yaml."""
        return f"logsite-{self.name}-mapping"

    @property
    def tables(self) -> list[str]:
        """The four tables."""
        return [f"logsite-{self.name}-{kind}" for kind in ("logs", "users", "sessions", "tokens")]

    @property
    def queues(self) -> list[str]:
        """LogsQueue and its dead-letter queue."""
        return [f"logsite-{self.name}-logs", f"logsite-{self.name}-dead-letters"]

    @property
    def secret_parameter(self) -> str:
        """The parameter in SSM that holds SECRET_KEY."""
        return f"/logsite/{self.name}/secret-key"

    @property
    def folder(self) -> Path:
        """Where everything that is built for the stage lies."""
        return self.build / self.name

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return what zappa_settings.json says of the two functions. Raises NoSuchStage."""
        known: dict[str, dict[str, Any]] = json.loads(SETTINGS.read_text())
        if not NAME.fullmatch(self.name) or not {self.name, self.writer} <= known.keys():
            stages = ", ".join(name for name in known if f"{name}_writer" in known)
            raise NoSuchStage(f"STAGE must be one of {stages} (zappa_settings.json), not {self.name!r}")
        return {name: known[name] for name in (self.name, self.writer)}
