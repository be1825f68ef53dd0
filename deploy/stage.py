"""A stage: the names of its AWS resources and its entries in zappa_settings.json."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.errors import NoSuchStage

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "zappa_settings.json"
NAME = re.compile(r"[a-z][a-z0-9]{0,19}")


@dataclass(frozen=True)
class Stage:
    """A stage by its name. deploy/resources.yaml derives the same resource names from it."""

    name: str

    @property
    def writer(self) -> str:
        """Return the name of the writer's entry in zappa_settings.json."""
        return f"{self.name}_writer"

    @property
    def digests(self) -> str:
        """Return the name of the digests builder's entry in zappa_settings.json."""
        return f"{self.name}_digests"

    @property
    def exports(self) -> str:
        """Return the name of the exports' entry in zappa_settings.json."""
        return f"{self.name}_exports"

    @property
    def web_function(self) -> str:
        """Return the name of the site's function. Its API and Zappa's own stack have it too."""
        return f"logsite-{self.name}"

    @property
    def writer_function(self) -> str:
        """Return the name of the function that stores logs."""
        return f"logsite-{self.name}-writer"

    @property
    def digests_function(self) -> str:
        """Return the name of the function that builds digests."""
        return f"logsite-{self.name}-digests"

    @property
    def exports_function(self) -> str:
        """Return the name of the function that writes exports."""
        return f"logsite-{self.name}-exports"

    @property
    def functions(self) -> dict[str, str]:
        """Return the names of the functions, by their entry in zappa_settings.json."""
        return {
            self.name: self.web_function,
            self.writer: self.writer_function,
            self.digests: self.digests_function,
            self.exports: self.exports_function,
        }

    @property
    def later_functions(self) -> list[str]:
        """Return the functions that an earlier deployment may lack."""
        return [self.digests_function, self.exports_function]

    @property
    def resources_stack(self) -> str:
        """Return the name of the stack of deploy/resources.yaml."""
        return f"logsite-{self.name}-resources"

    @property
    def mapping_stack(self) -> str:
        """Return the name of the stack of deploy/mapping.yaml."""
        return f"logsite-{self.name}-mapping"

    @property
    def schedule_stack(self) -> str:
        """Return the name of the stack of deploy/schedule.yaml."""
        return f"logsite-{self.name}-schedule"

    @property
    def tables(self) -> list[str]:
        """Return the names of the tables. The table of digests may be switched off."""
        kinds = ("logs", "users", "sessions", "tokens", "views", "digests", "exports")
        return [f"logsite-{self.name}-{kind}" for kind in kinds]

    @property
    def queues(self) -> list[str]:
        """Return the names of the queue of logs and of its dead-letter queue."""
        return [f"logsite-{self.name}-logs", f"logsite-{self.name}-dead-letters"]

    @property
    def secret_parameter(self) -> str:
        """Return the name of the SSM parameter that holds SECRET_KEY."""
        return f"/logsite/{self.name}/secret-key"

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return the stage's entries of zappa_settings.json. Raise NoSuchStage if they are missing."""
        entries: dict[str, dict[str, Any]] = json.loads(SETTINGS.read_text())
        if not NAME.fullmatch(self.name) or not self.functions.keys() <= entries.keys():
            stages = ", ".join(name for name in entries if f"{name}_writer" in entries)
            raise NoSuchStage(f"STAGE must be one of {stages} (zappa_settings.json), not {self.name!r}")
        return {name: entries[name] for name in self.functions}
