"""The version, in one place: it is part of what makes a run the same bytes."""

__version__ = "0.1.0"
