"""Create the tables that the models declare, and compare existing tables with their models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import TableError
from pynamodb.models import Model

from logs.storage import dynamodb

TTL_OFF = "off"


class TableDiffers(Exception):
    """The table exists, but has other keys or indexes than the model."""


@dataclass(frozen=True)
class TableState:
    """The state of a table after `ensure`."""

    name: str
    arn: str
    created: bool
    ttl_turned_on: bool


def ensure(model: type[Model]) -> TableState:
    """Create the table of a model, or turn on its TTL.

    A new table has the indexes, on-demand billing and TTL.

    Raises TableDiffers if the existing table has other keys or indexes: neither can be changed in place, and
    reading the wrong ones would miss logs. Raises PynamoDB's TableError and botocore's errors.
    """
    name = model.Meta.table_name
    created = not model.exists()
    if created:
        model.create_table(wait=True)
    description = model.describe_table()
    if phrases := differences(model, description):
        raise TableDiffers(
            f"The table {name} exists, but not as {model.__name__} declares it: {'; '.join(phrases)}. "
            "Name another table in the settings, or move the data away and delete this one."
        )
    ttl_turned_on = not created and _enable_ttl(model)
    return TableState(name, description["TableArn"], created, ttl_turned_on)


def identity(model: type[Model]) -> str:
    """Return a text that no other table has.

    A later table with the same name has another time of creation. Costs one DescribeTable. Raises PynamoDB's
    errors, also if there is no such table.
    """
    description = model.describe_table()
    return f"{description['TableArn']} {description['CreationDateTime']}"


def is_outdated(model: type[Model]) -> bool:
    """Return whether the table of a model exists, but has other keys or indexes.

    Raises PynamoDB's TableError and botocore's errors.
    """
    return model.exists() and bool(differences(model, model.describe_table()))


def differences(model: type[Model], description: Mapping[str, Any]) -> list[str]:
    """Return one phrase for each difference between a model and the response of DescribeTable."""
    declared = dynamodb.schema(model)
    types = _types(declared["attribute_definitions"])
    expected = {"the primary key": _keys(declared["key_schema"], types)}
    for index in declared["global_secondary_indexes"]:
        expected[f"the index {index['index_name']}"] = _index(index["key_schema"], index["projection"], types)
    types = _types(description["AttributeDefinitions"])
    actual = {"the primary key": _keys(description["KeySchema"], types)}
    for index in description.get("GlobalSecondaryIndexes", []):
        actual[f"the index {index['IndexName']}"] = _index(index["KeySchema"], index["Projection"], types)
    return [
        f"{name} is {actual.get(name, 'missing')} instead of {expected.get(name, 'none')}"
        for name in sorted(expected.keys() | actual.keys())
        if expected.get(name) != actual.get(name)
    ]


def _types(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {definition["AttributeName"]: definition["AttributeType"] for definition in definitions}


def _keys(schema: list[dict[str, str]], types: dict[str, str]) -> str:
    keys = sorted(schema, key=_key_type)
    return ", ".join(
        f"{name} ({key['KeyType']}, {types[name]})" for key in keys for name in [key["AttributeName"]]
    )


def _key_type(key: dict[str, str]) -> str:
    return key["KeyType"]


def _index(schema: list[dict[str, str]], projection: Mapping[str, Any], types: dict[str, str]) -> str:
    attributes = ", ".join(sorted(projection.get("NonKeyAttributes", [])))
    return f"{_keys(schema, types)} with {projection['ProjectionType']} {attributes}".rstrip()


def ttl_difference(model: type[Model]) -> str | None:
    """Return how the TTL of a table differs from its model, or None. Raises botocore's errors."""
    attribute = dynamodb.ttl_attribute(model)
    if attribute is None:
        return None
    status = dynamodb.ttl_status(model)
    if status["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
        return TTL_OFF
    if status.get("AttributeName") != attribute.attr_name:
        return f"on {status.get('AttributeName')} instead of {attribute.attr_name}"
    return None


def _enable_ttl(model: type[Model]) -> bool:
    """Turn the TTL on if it is off; return whether it was. AWS refuses to turn it on twice."""
    attribute = dynamodb.ttl_attribute(model)
    difference = ttl_difference(model)
    if attribute is None or difference is None:
        return False
    if difference != TTL_OFF:
        raise TableError(f"TTL of the table {model.Meta.table_name} is {difference}")
    dynamodb.enable_ttl(model, attribute.attr_name)
    return True
