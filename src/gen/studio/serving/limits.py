"""How much one person, or one address, may ask for: a bucket that fills again over time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from gen.errors import HouseError

MOST_NAMES = 10_000


class TooManyError(HouseError):
    """Asked more than one may at once; `seconds` says when to ask again."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds + 0.5))
        super().__init__("too many requests", mend=f"ask again in {self.seconds} s")


class RateLimits:
    """Token buckets by name.

    Args:
        burst: how many requests at once.
        a_second: how many more each second.
        clock: seconds, for tests.
    """

    def __init__(
        self, burst: float, a_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._a_second, self._clock = burst, a_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        """Count one request.

        Raises:
            TooManyError: the bucket is empty.
        """
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(name, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._a_second)
            self._left[name] = (max(left - 1, 0.0) if left >= 1 else left, now)
            while len(self._left) > MOST_NAMES:
                self._left.popitem(last=False)
        if left < 1:
            raise TooManyError((1 - left) / self._a_second)
