"""What our user, or we, did wrong. Failures that the modelled product meets and handles are in ``failures``."""

from __future__ import annotations


class WsyncsimError(Exception):
    """A mistake in what was asked for: says what is wrong, where, and what to do next.

    The command line prints it without a traceback and exits with code 2.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(": ".join(part for part in (where, what) if part) + (f"\n{hint}" if hint else ""))


class EstateError(WsyncsimError):
    """An estate that cannot exist, such as a child site without a parent."""
