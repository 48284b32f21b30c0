"""The looks, family by family; importing this registers them all."""

from scenarios.look import LOOKS, Look
from scenarios.looks import logs, tools, windows

__all__ = ["LOOKS", "Look", "logs", "tools", "windows"]
