"""Named random streams: each decision-maker rolls its own dice, so a fault shifts nobody's numbers but its victim's."""

from __future__ import annotations

from hashlib import blake2b
from random import Random


class Stream:
    """One decision-maker's dice.

    Only ``random.Random.random`` and integer arithmetic are used: both are identical on every supported Python.
    """

    __slots__ = ("_random", "uniform")

    def __init__(self, seed: int, name: str) -> None:
        digest = blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
        self._random = Random(int.from_bytes(digest, "big"))
        self.uniform = self._random.random

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high`` (exclusive), all equally likely."""
        return low + int(self.uniform() * (high - low))

    def about(self, middle: int, percent: int = 20) -> int:
        """A whole number around ``middle``, at most ``percent`` per cent away."""
        swing = middle * percent // 100
        return middle - swing + int(self.uniform() * (swing + swing))

    def guid(self) -> str:
        """A lower-case version 4 GUID without braces."""
        bits = f"{int(self.uniform() * 2**52):013x}{int(self.uniform() * 2**52):013x}{int(self.uniform() * 2**24):06x}"
        variant = "89ab"[int(self.uniform() * 4)]
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{variant}{bits[17:20]}-{bits[20:32]}"


class Dice:
    """The source of all streams of one run: the same seed and name always give the same stream."""

    __slots__ = ("seed",)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> Stream:
        return Stream(self.seed, name)
