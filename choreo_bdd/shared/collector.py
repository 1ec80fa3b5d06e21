"""Python's full garbage collections: each halts every thread for as long as it takes to look through all there is."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

_AS_SELDOM = 10
"""So much more has to be made before one comes: what a scenario makes fits, and memory stays bounded in a long one."""


class _FullCollections:
    """Put off while anybody has them put off, and due as usual afterwards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = 0
        self._usual = self._ours = gc.get_threshold()

    def put_off(self) -> None:
        with self._lock:
            self._asked += 1
            if self._asked == 1:
                self._usual = gc.get_threshold()
                self._ours = (*self._usual[:2], self._usual[2] * _AS_SELDOM)
                gc.set_threshold(*self._ours)

    def resume(self) -> None:
        with self._lock:
            self._asked -= 1
            if not self._asked and gc.get_threshold() == self._ours:  # else somebody has set it meanwhile
                gc.set_threshold(*self._usual)


_full_collections = _FullCollections()


def put_off_full_collections(owner: object) -> Callable[[], object]:
    """Have no full collection come until what is returned is called, or ``owner`` is no more.

    In a large project one takes 50 to 250 ms, and what comes meanwhile would be stamped as if it came behind it.
    """
    _full_collections.put_off()
    resume = weakref.finalize(owner, _full_collections.resume)
    resume.atexit = False
    return resume
