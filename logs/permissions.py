"""Who may read the logs of Logsite's own accounts, such as its audit trail."""


def reads_own_accounts(reader: object) -> bool:
    """Return whether a user, or another object that authentication returned, may read these logs.

    Superusers may. Everybody else may not, whatever permissions they have: the trail names what others read.
    """
    return bool(getattr(reader, "is_superuser", False) and getattr(reader, "is_active", True))
