"""Keeps the server's processes small: what they hold in common is made once, and what is freed goes back.

What each part of it is worth is told in .github/decisions/0008-serving-and-stopping.md.
"""
import gc
from ctypes import CDLL

# mallopt(3)
_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8


def share_with_forks() -> None:
    """Have processes that are forked from now on share what is there, for as long as none writes to it."""
    # What is garbage by now would be freed, and so written to, in each of them.
    gc.collect()
    # Their collectors would write to each object that they look at.
    gc.freeze()


def give_freed_memory_back() -> None:
    """For glibc's malloc, of this process and its forks. Call it before there are threads.

    By default each thread gets a heap of its own, and 32 threads keep what each needed at its worst. They
    take turns at Python's lock anyway, so one heap is as quick.
    """
    mallopt = getattr(CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        # 128 KiB is the default, but only until a larger piece is freed, unless it is set.
        mallopt(_M_TRIM_THRESHOLD, 128 * 1024)
