"""Every private call of PynamoDB 6.1. A new version of it concerns only this module."""

import math
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.attributes import AttributeContainer, TTLAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.settings import get_settings_value
from pynamodb.transactions import TransactWrite

from logs.models import ChoicesItem, LogItem, PartItem, TableMeta
from logs.storage import deadline, raw_responses, responses, statements

M = TypeVar("M", bound=type[Model])

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_BATCH_GET = 100
# The requests in a row of which DynamoDB processes no key. It throttles the last one after 2.5 s on average.
MAX_IDLE_REQUESTS = 8
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.05, 1.0

_CLIENT_LOCK = threading.Lock()
_before_send: ContextVar[Callable[[], object]] = ContextVar("before_send", default=lambda: None)


class KeysUnprocessed(BotoCoreError):
    """DynamoDB left keys of a BatchGetItem unprocessed, request after request."""

    fmt = "DynamoDB left {keys} keys of BatchGetItem unprocessed in {requests} requests in a row"


class _Connection(Connection):
    """A connection that starts no request after the deadline, and no retry."""

    def _before_send(self, request: Any, **kwargs: Any) -> None:
        # botocore calls it before each attempt, and raises the error without a retry.
        deadline.check()
        super()._before_send(request, **kwargs)
        _before_send.get()()


@cache
def shared_connection() -> Connection:
    """Return the connection whose client all tables share. It uses PynamoDB's setting `host` if set."""
    connection = _Connection(
        host=get_settings_value("host"),
        connect_timeout_seconds=TableMeta.connect_timeout_seconds,
        read_timeout_seconds=TableMeta.read_timeout_seconds,
        max_retry_attempts=TableMeta.max_retry_attempts,
        max_pool_connections=TableMeta.max_pool_connections,
    )
    raw_responses.parse(connection.client)
    responses.check(connection.client)
    statements.encode(connection.client)
    return connection


def call_before_send(function: Callable[[], object]) -> None:
    """Let each request of this context call a function before it is sent."""
    _before_send.set(function)


def share_client(model: M) -> M:
    """Let a model use the shared client. Usable as a class decorator.

    PynamoDB makes a client for each model, at 0.1 s and a handshake with DynamoDB each, and without a lock.
    """
    connect = model._get_connection

    def get_connection(cls: type[Model]) -> TableConnection:
        table = connect()
        with _CLIENT_LOCK:
            table.connection._client = shared_connection().client
        return table

    model._get_connection = classmethod(get_connection)  # type: ignore[method-assign,assignment]  # replaced
    return model


for _model in (LogItem, PartItem, ChoicesItem):
    share_client(_model)


@dataclass
class Usage:
    """The requests of a read, and their read units."""

    requests: int = 0
    read_units: float = 0.0

    def add(self, response: dict[str, Any]) -> dict[str, Any]:
        """Count a raw response; return it."""
        self.requests += 1
        self.read_units += capacity_units(response)
        return response


def capacity_units(response: dict[str, Any]) -> float:
    """Return the read or write units of a raw response. MiniStack omits them for BatchGetItem."""
    consumed = response.get("ConsumedCapacity", [])
    capacities = consumed if isinstance(consumed, list) else [consumed]
    return math.fsum(capacity["CapacityUnits"] for capacity in capacities)


def batch_get(
    model: type[Model], keys: Sequence[dict[str, str]], *, consistent: bool = False
) -> dict[str, Any]:
    """Return the raw response of one BatchGetItem. It has unprocessed keys and read units."""
    response: dict[str, Any] = model._get_connection().batch_get_item(
        keys,  # type: ignore[arg-type]  # wrongly typed
        consistent_read=consistent,
    )
    return response


def batch_get_all(
    model: type[Model],
    keys: Sequence[dict[str, str]],
    *,
    consistent: bool = False,
    usage: Usage | None = None,
) -> list[dict[str, Any]]:
    """Return the raw items of any number of keys, in no order. Items that do not exist are left out.

    No key may occur twice. Sends one BatchGetItem after the other: one for 100 keys, and one more, after a
    wait, for each response with unprocessed keys. Adds them to `usage`. Raises KeysUnprocessed, PynamoDB's
    and botocore's errors.
    """
    table = model.Meta.table_name
    usage = usage or Usage()
    pending = list(keys)
    items: list[dict[str, Any]] = []
    idle = 0
    while pending:
        batch = pending[:MAX_BATCH_GET]
        response = usage.add(batch_get(model, batch, consistent=consistent))
        items += response["Responses"].get(table, [])
        # DynamoDB leaves out the items beyond 16 MB, and the keys that it throttles.
        unprocessed = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        pending[:MAX_BATCH_GET] = [_plain_key(key) for key in unprocessed]
        idle = idle + 1 if len(unprocessed) == len(batch) else 0
        if idle == MAX_IDLE_REQUESTS:
            raise KeysUnprocessed(keys=len(unprocessed), requests=idle)
        if unprocessed:
            time.sleep(random.uniform(0.5, 1) * min(MAX_WAIT_SECONDS, MIN_WAIT_SECONDS * 2**idle))  # noqa: S311  jitter
    return items


def get_each(keys: Mapping[type[Model], Sequence[str]]) -> dict[type[Model], list[dict[str, Any]]]:
    """Return the raw items of some keys in each of several tables. Items that do not exist are left out.

    The reads are consistent. Costs one BatchGetItem, and one GetItem for each key of a table of which
    DynamoDB leaves a key unprocessed. Raises PynamoDB's and botocore's errors.
    """
    requests = {
        model.Meta.table_name: {
            "Keys": [{model._hash_keyname: {"S": key}} for key in model_keys],
            "ConsistentRead": True,
        }
        for model, model_keys in keys.items()
    }
    response = LogItem._get_connection().connection.dispatch("BatchGetItem", {"RequestItems": requests})
    items = {}
    for model, model_keys in keys.items():
        table = model.Meta.table_name
        if table in response["UnprocessedKeys"]:
            responses_of_keys = [get(model, key, consistent=True) for key in model_keys]
            items[model] = [each["Item"] for each in responses_of_keys if each.get("Item")]
        else:
            items[model] = response["Responses"].get(table, [])
    return items


def _plain_key(key: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return a raw key as PynamoDB takes it. All keys of Logsite's tables are strings."""
    return {name: value["S"] for name, value in key.items()}


def query(
    model: type[Model],
    partition: str,
    condition: Condition | None,
    *,
    ascends: bool = True,
    start: dict[str, Any] | None = None,
    limit: int | None = None,
    consistent: bool = False,
) -> dict[str, Any]:
    """Return the raw response of one Query of a table."""
    result = model.query(
        partition,
        condition,
        consistent_read=consistent,
        scan_index_forward=ascends,
        last_evaluated_key=start,
        page_size=limit,
    )
    # Iterating over the result itself would read on without a limit.
    response: dict[str, Any] = next(result.page_iter)
    return response


def count(index: str, partition: str, condition: Condition | None, limit: int) -> dict[str, Any]:
    """Return the raw response of one Query that counts items of an index.

    It costs as many read units as the items would.
    """
    connection = LogItem._get_connection().connection
    response: dict[str, Any] = connection.query(
        LogItem.Meta.table_name,
        partition,
        range_key_condition=condition,
        index_name=index,
        limit=limit,
        select="COUNT",
    )
    return response


def get(model: type[Model], key: str, *, consistent: bool = False) -> dict[str, Any]:
    """Return the raw response of one GetItem. It has read units."""
    response: dict[str, Any] = model._get_connection().get_item(key, consistent_read=consistent)
    return response


def put(operation: dict[str, Any]) -> None:
    """Send one PutItem whose arguments `Model.get_save_kwargs_from_instance` returned.

    PynamoDB adds ReturnConsumedCapacity, and the shared client rejects a response without it. Raises
    botocore's errors; `Model.save` would wrap them, and drop the item that a failed condition returns.
    """
    LogItem._get_connection().connection.dispatch("PutItem", operation)


def serialize(item: AttributeContainer) -> dict[str, dict[str, Any]]:
    """Return an item in DynamoDB's JSON, as `Model.serialize` does in several times the time.

    Values are not validated: a required attribute without a value is omitted.
    """
    attributes = _attributes(type(item))
    return {
        attributes[name][0]: {attributes[name][1]: attributes[name][2](value)}
        for name, value in item.attribute_values.items()
        if value is not None
    }


@cache
def _attributes(model: type[AttributeContainer]) -> dict[str, tuple[str, str, Callable[[Any], Any]]]:
    """Return name, type and serialization of each attribute in DynamoDB, by its name in a model."""
    return {
        name: (
            each.attr_name,
            each.attr_type,
            serialize if isinstance(each, AttributeContainer) else each.serialize,
        )
        for name, each in model.get_attributes().items()
    }


def insert(model: type[Model], items: Sequence[dict[str, Any]]) -> list[dict[str, str] | None]:
    """Insert items with different keys, in DynamoDB's JSON, each unless its key exists.

    Return the error of each item, or None: its `Code` is `DuplicateItem` if the key exists. Costs one
    BatchExecuteStatement for up to 25 items. Raises botocore's errors if the whole request fails.
    """
    table = model.Meta.table_name
    inserts = [statements.insert(table, item) for item in items]
    connection = model._get_connection().connection
    response = connection.dispatch(statements.OPERATION, {"Statements": inserts})
    responses.check_number(statements.OPERATION, response["Responses"], len(items))
    return [each.get("Error") for each in response["Responses"]]


def batch_put(model: type[Model], items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put up to 25 items in DynamoDB's JSON; return the unprocessed ones. Raises botocore's errors."""
    table = model.Meta.table_name
    requests = [{"PutRequest": {"Item": item}} for item in items]
    connection = model._get_connection().connection
    response = connection.dispatch("BatchWriteItem", {"RequestItems": {table: requests}})
    unprocessed = response.get("UnprocessedItems", {}).get(table, [])
    return [request["PutRequest"]["Item"] for request in unprocessed]


def update(model: type[Model], key: str, actions: Sequence[Action], condition: Condition) -> None:
    """Send one UpdateItem that returns nothing; `Model.update` would return the whole item."""
    model._get_connection().update_item(key, actions=actions, condition=condition)


def transaction() -> TransactWrite:
    """Return a context manager that writes all its operations, or none."""
    return TransactWrite(connection=LogItem._get_connection().connection)


def schema(model: type[Model]) -> dict[str, Any]:
    """Return the keys, attributes and indexes that a model declares."""
    return {**model._get_schema()}


def ttl_attribute(model: type[Model]) -> TTLAttribute | None:
    """Return the attribute of a model that holds the time to live, or None."""
    attribute: TTLAttribute | None = model._ttl_attribute()
    return attribute


def ttl_status(model: type[Model]) -> dict[str, Any]:
    """Return DescribeTimeToLive's description of a model's table."""
    connection = model._get_connection()
    client: Any = connection.connection.client  # botocore makes its methods at run time
    description: dict[str, Any] = client.describe_time_to_live(TableName=connection.table_name)
    status: dict[str, Any] = description["TimeToLiveDescription"]
    return status


def enable_ttl(model: type[Model], attribute: str) -> None:
    """Turn on the time to live of a model's table."""
    model._get_connection().update_time_to_live(attribute)
