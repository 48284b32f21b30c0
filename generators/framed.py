"""Logs in which a message is only a part of its record, such as the text inside an XML event."""

from __future__ import annotations

from functools import cache
from typing import Any

from generators.catalogue import load
from generators.compile import parameters
from generators.layouts import PLAIN
from generators.log import Log


@cache
def parameter_names(catalogue: str, message: str) -> tuple[str, ...]:
    """Parameters of a message, in the order in which its method takes them."""
    return parameters(load(catalogue)[message])


class FramedLog(Log):
    """Messages of the catalogue are written into a frame that the concrete log makes."""

    layout = PLAIN

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lines.out = self._put

    def frame(self, text: str) -> str:
        """The record around a message's text, complete with line ends."""
        raise NotImplementedError

    def _put(self, line: str) -> None:
        self._texts.append(self.frame(line.removesuffix(self.layout.eol)))
