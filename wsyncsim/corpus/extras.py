"""What lies in extras: imported when it is needed, and missed with a hint at the extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from simulator.errors import WsyncsimError


class ExtraMissingError(WsyncsimError):
    """An extra is not installed."""


def need(module: str, extra: str, what: str) -> Any:
    """The module, or ``ExtraMissingError`` that says what needs it and which extra of wsyncsim brings it."""
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ExtraMissingError(
            f"{what} needs {package}, which is not installed", hint=f"Install the extra: pip install 'wsyncsim[{extra}]'"
        ) from None
