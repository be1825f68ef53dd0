"""The CloudFormation templates of deploy/, parsed."""

from typing import Any

from deploy.stage import ROOT

NAMES = ("resources.yaml", "mapping.yaml", "schedule.yaml")


def template(name: str) -> dict[str, Any]:
    """Return a template of deploy/."""
    # Imported here because it takes seconds, and every test process imports this module.
    from cfnlint.decode import cfn_yaml

    content: dict[str, Any] = cfn_yaml.load(str(ROOT / "deploy" / name))
    return content


def all_resources() -> dict[str, Any]:
    """Return the resources of all templates."""
    return {key: value for name in NAMES for key, value in template(name)["Resources"].items()}


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the resources of one type."""
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}
