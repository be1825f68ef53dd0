"""The templates of deploy/, read as CloudFormation reads them."""

from typing import Any

from cfnlint.decode import cfn_yaml

from deploy.stage import ROOT

NAMES = ("resources.yaml", "mapping.yaml")


def template(name: str) -> dict[str, Any]:
    read: dict[str, Any] = cfn_yaml.load(str(ROOT / "deploy" / name))
    return read


def all_resources() -> dict[str, Any]:
    """Return the resources of both templates."""
    return {key: value for name in NAMES for key, value in template(name)["Resources"].items()}


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}
