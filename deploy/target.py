"""The target of a package: Lambda's Python version and processor."""

import sys
from dataclasses import dataclass

from packaging import tags

# Newest first. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
PYTHONS = ("3.14", "3.13", "3.12", "3.11")
# Lambda's name of a processor, and the name in wheels' platform tags.
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# The minor version of glibc in Amazon Linux 2023, and in the Amazon Linux 2 of Python 3.11's runtime.
GLIBC, OLD_GLIBC = 34, 26
OLDEST_GLIBC = 17  # manylinux2014


@dataclass(frozen=True)
class Target:
    """Lambda's Python version and processor.

    `native` means the Python that runs this, for an emulator.
    """

    python: str
    architecture: str
    native: bool = False

    @property
    def runtime(self) -> str:
        """Return AWS's name of the runtime."""
        return f"python{self.python}"

    @property
    def platforms(self) -> list[str]:
        """Return the platform tags of wheels that run on the target, newest first."""
        machine = ARCHITECTURES[self.architecture]
        newest = OLD_GLIBC if self.python == "3.11" else GLIBC
        modern = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC - 1, -1)]
        return [*modern, f"manylinux2014_{machine}"]

    @property
    def tags(self) -> set[tags.Tag]:
        """Return the tags of wheels that run on the target."""
        if self.native:
            return set(tags.sys_tags())
        version = tuple(int(part) for part in self.python.split("."))
        interpreter = "cp" + self.python.replace(".", "")
        return {
            *tags.cpython_tags(version, platforms=self.platforms),
            *tags.compatible_tags(version, interpreter, self.platforms),
        }


def this_python() -> str:
    """Return the version of the Python that runs this, in Lambda's form: 3.13."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def native_target() -> Target:
    """Return the target of an emulator: the Python that runs this."""
    return Target(this_python(), "x86_64", native=True)
