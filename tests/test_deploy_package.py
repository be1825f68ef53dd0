"""What goes to Lambda fits Lambda: its Python, its processor, and nothing that nothing asks for."""

import re
from pathlib import Path

import pytest

from deploy import environment
from deploy.environment import Target

X86_64 = Target("3.13", "x86_64")
ARM64 = Target("3.13", "arm64")
# The name of a compiled module says what it was built for.
COMPILED = re.compile(r"\.(?:cpython-(?P<python>\d+)-(?P<machine>\w+)-linux-gnu|abi3)\.so$")


def wheel(packages: Path, name: str, *tags: str) -> None:
    """Lay the metadata of an installed wheel down."""
    folder = packages / f"{name}-1.0.dist-info"
    folder.mkdir()
    lines = ["Wheel-Version: 1.0", *(f"Tag: {tag}" for tag in tags), ""]
    (folder / "WHEEL").write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("tag", "fitting"),
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
def test_a_wheel_that_does_not_fit_is_named(tmp_path: Path, tag: str, fitting: set[Target]) -> None:
    wheel(tmp_path, "some_package", tag)
    for target in (X86_64, ARM64):
        found = list(environment.misfits(tmp_path, target))
        assert found == ([] if target in fitting else [f"some_package-1.0 ({tag})"])


def test_on_amazon_linux_2_an_older_glibc_is_expected() -> None:
    assert "manylinux_2_28_x86_64" in Target("3.12", "x86_64").platforms
    assert "manylinux_2_28_x86_64" not in Target("3.11", "x86_64").platforms


@pytest.fixture(scope="module", params=[ARM64, Target("3.14", "x86_64")], ids=lambda target: target.runtime)
def built(request: pytest.FixtureRequest, fast_folder: Path) -> tuple[Target, Path]:
    """Build the packages for another Python and another processor than these."""
    return request.param, environment.build(fast_folder / request.param.runtime, request.param)


def test_every_compiled_module_is_for_the_target(built: tuple[Target, Path]) -> None:
    target, packages = built
    modules = list(packages.rglob("*.so"))
    assert len(modules) >= 3
    for module in modules:
        found = COMPILED.search(module.name)
        assert found, module
        if found["python"]:
            assert found["python"] == target.python.replace(".", "")
            assert found["machine"] == environment.ARCHITECTURES[target.architecture]
        # ELF's field e_machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
        machine = int.from_bytes(module.read_bytes()[18:20], "little")
        assert machine == {"x86_64": 62, "arm64": 183}[target.architecture]
    assert list(environment.misfits(packages, target)) == []


def test_what_lambda_brings_and_what_nothing_asks_for_is_left_out(built: tuple[Target, Path]) -> None:
    _, packages = built
    for name in ("boto3", "botocore", "pip", "setuptools", "troposphere", "django/contrib/gis", "bin"):
        assert not (packages / name).exists(), name
    assert (packages / "zappa" / "handler.py").exists()
    assert (packages / "django" / "conf" / "locale" / "__init__.py").exists()
    assert {path.name for path in (packages / "django" / "conf" / "locale").iterdir() if path.is_dir()} == {
        "en"
    }
    assert not list(packages.rglob("*.po"))


def test_every_requirement_has_its_version_and_its_hashes_and_no_address() -> None:
    text = environment.REQUIREMENTS.read_text()
    assert "http" not in text
    assert "file:" not in text
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines) > 15
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+ \\", line), line
    assert text.count("--hash=sha256:") >= len(lines)
