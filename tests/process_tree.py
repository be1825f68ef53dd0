"""The children of processes, whether they run, and their memory, by /proc of Linux."""

from pathlib import Path


def children(process: int) -> list[int]:
    """Return the children of a process, or none if it has ended."""
    try:
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def is_alive(process: int) -> bool:
    """Return whether a process runs. A zombie does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def peak_memory(process: int) -> int:
    """Return the peak of resident memory of a process in KiB, or 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
