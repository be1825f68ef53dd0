"""Ports of this machine."""

import socket


def free_port(preferred: int = 0) -> int:
    """Return the preferred port of 127.0.0.1 if it is free, otherwise another one.

    Raise OSError if no port is free.
    """
    for port in (preferred, 0):
        with socket.socket() as probe:
            # As servers do: a port with connections in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("127.0.0.1 has no free port")


def accepts_connections(port: int) -> bool:
    """Return whether a server listens on the port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
