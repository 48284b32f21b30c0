"""The conformance suite for parsers of these logs: its cases, the scorer, and the reducer of what a parser gets wrong.

``wsyncsim suite --help`` shows the commands, ``docs/suite.md`` describes the files.
"""

from __future__ import annotations
