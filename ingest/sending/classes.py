"""Recognize a class by its name or its methods, without importing its library.

Only classes count as evidence. An instance may pretend to have any attribute, as mocks do.
"""

from typing import Any


def class_of(value: object) -> type[Any]:
    """Return the class of a value. For a proxy of another object, return that object's class."""
    # Lazy objects of Django and the proxies of Werkzeug pass `__class__` on.
    try:
        cls = value.__class__
    except Exception:  # noqa: BLE001  the object behind a proxy may be missing
        return type(value)
    return cls if isinstance(cls, type) else type(value)


def has(cls: type[Any], *names: str) -> bool:
    """Return whether a class or its bases define each of these attributes."""
    return all(any(name in vars(base) for base in cls.__mro__) for name in names)


def is_named(cls: type[Any], *names: str) -> bool:
    """Return whether a class or a base has one of these names: `decimal.Decimal`."""
    return any(f"{base.__module__}.{base.__qualname__}" in names for base in cls.__mro__)
