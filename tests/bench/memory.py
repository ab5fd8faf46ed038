"""The peak of a process's memory."""

import re
import resource
from pathlib import Path


def peak_bytes() -> int:
    """The most that this program has held at once.

    Of the program, not of the process: getrusage's figure is handed on from a parent to what it starts, however large that was.
    Where the system does not tell (it is no Linux) that figure has to do.
    """
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        found = None
    return int(found[1]) * 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
