"""Data sets: many independent runs of a plan, as labelled records and in the forms that researchers load.

>>> from wsyncsim import corpus
>>> plan = corpus.load("plan.toml")
>>> made = corpus.make(plan, "my-corpus", workers=2)
>>> made.runs, made.records
"""

from __future__ import annotations

from wsyncsim.corpus.make import Made, make
from wsyncsim.corpus.plan import Plan, load, parse
from wsyncsim.corpus.records import Record, fill

__all__ = ["Made", "Plan", "Record", "fill", "load", "make", "parse"]
