"""What a process does with the memory of tensors that are done with: it keeps it for the next ones."""

import ctypes
import platform
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The numbers of mallopt(3)."""
LARGEST_KEPT = 256 << 20
"""Larger blocks go back to the system as before: a pool's tables, which come once."""
KEPT = 1 << 30
"""At most about so many free bytes are kept at the end of the heap."""


@cache
def keep_freed_memory() -> bool:
    """Lets this process keep the memory of blocks up to 256 MiB for the next tensors; False where glibc is not.

    By default glibc gives each block above 32 MiB back at once, and the next tensor of that size finds every page of
    its memory anew, which can take half of a query over scenes (`benchmarks.allocation`). No number changes by it; the
    peak may grow by a sixth.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT) and library.mallopt(M_TRIM_THRESHOLD, KEPT))
