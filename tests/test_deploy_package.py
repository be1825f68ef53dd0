"""The dependencies for Lambda match its Python and processor, and nothing unused is included."""

import re
from pathlib import Path

import pytest

from deploy import dependencies
from deploy.target import ARCHITECTURES, PYTHONS, Target, this_python

X86_64 = Target("3.13", "x86_64")
ARM64 = Target("3.13", "arm64")
# The file name of a compiled module has the Python version and the processor.
COMPILED = re.compile(r"\.(?:cpython-(?P<python>\d+)-(?P<machine>\w+)-linux-gnu|abi3)\.so$")


def install_wheel(packages: Path, name: str, *tags: str) -> None:
    """Write the metadata of an installed wheel."""
    folder = packages / f"{name}-1.0.dist-info"
    folder.mkdir()
    lines = ["Wheel-Version: 1.0", *(f"Tag: {tag}" for tag in tags), ""]
    (folder / "WHEEL").write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("tag", "compatible"),
    [
        ("py3-none-any", {X86_64, ARM64}),
        ("cp313-cp313-manylinux2014_x86_64", {X86_64}),
        ("cp313-cp313-manylinux_2_28_x86_64", {X86_64}),
        ("cp39-abi3-manylinux_2_28_aarch64", {ARM64}),
        ("cp312-cp312-manylinux2014_x86_64", set()),
        ("cp313-cp313-manylinux_2_39_x86_64", set()),
        ("cp313-cp313-musllinux_1_2_x86_64", set()),
        ("cp313-cp313-macosx_11_0_arm64", set()),
    ],
)
def test_incompatible_wheel_is_named(tmp_path: Path, tag: str, compatible: set[Target]) -> None:
    install_wheel(tmp_path, "some_package", tag)
    for target in (X86_64, ARM64):
        names = list(dependencies.incompatible_wheels(tmp_path, target))
        assert names == ([] if target in compatible else [f"some_package-1.0 ({tag})"])


def test_amazon_linux_2_has_an_older_glibc() -> None:
    assert "manylinux_2_28_x86_64" in Target("3.12", "x86_64").platforms
    assert "manylinux_2_28_x86_64" not in Target("3.11", "x86_64").platforms


# Neither is the Python that runs the tests.
OTHER_PYTHONS = [python for python in PYTHONS if python != this_python()]


@pytest.fixture(
    scope="module",
    params=[Target(OTHER_PYTHONS[1], "arm64"), Target(OTHER_PYTHONS[0], "x86_64")],
    ids=lambda target: target.runtime,
)
def installation(request: pytest.FixtureRequest, fast_folder: Path) -> tuple[Target, Path]:
    """Install the dependencies for another processor and another Python."""
    return request.param, dependencies.install(fast_folder / request.param.runtime, request.param)


def test_compiled_modules_match_the_target(installation: tuple[Target, Path]) -> None:
    target, packages = installation
    modules = list(packages.rglob("*.so"))
    assert len(modules) >= 3
    for module in modules:
        match = COMPILED.search(module.name)
        assert match, module
        if match["python"]:
            assert match["python"] == target.python.replace(".", "")
            assert match["machine"] == ARCHITECTURES[target.architecture]
        # ELF's field e_machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
        machine = int.from_bytes(module.read_bytes()[18:20], "little")
        assert machine == {"x86_64": 62, "arm64": 183}[target.architecture]
    assert list(dependencies.incompatible_wheels(packages, target)) == []


def test_unused_packages_are_excluded(installation: tuple[Target, Path]) -> None:
    _, packages = installation
    for name in ("boto3", "botocore", "pip", "setuptools", "troposphere", "django/contrib/gis", "bin"):
        assert not (packages / name).exists(), name
    assert (packages / "zappa" / "handler.py").exists()
    assert (packages / "django" / "conf" / "locale" / "__init__.py").exists()
    locales = {path.name for path in (packages / "django" / "conf" / "locale").iterdir() if path.is_dir()}
    assert locales - {"__pycache__"} == {"en"}
    assert not list(packages.rglob("*.po"))


def test_requirements_are_pinned_with_hashes() -> None:
    text = dependencies.REQUIREMENTS.read_text()
    assert "http" not in text
    assert "file:" not in text
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines) > 15
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+ \\", line), line
    assert text.count("--hash=sha256:") >= len(lines)
