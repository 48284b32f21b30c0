"""Severity of status messages, by message id."""

from __future__ import annotations

from typing import Final

from generators.catalogue import Severity

_ERRORS: Final = frozenset({4968, 6600, 6602, 6603, 6607, 6612, 6613, 6614, 6617, 6700, 6703, 6711, 7000, 7001, 7002, 7003, 7004})
_WARNINGS: Final = frozenset({6610, 6611, 6707, 6713})


def severity_of(message_id: int) -> Severity:
    """Severity of a status message [P, texts of the message files]."""
    if message_id in _ERRORS:
        return "error"
    return "warning" if message_id in _WARNINGS else "info"
