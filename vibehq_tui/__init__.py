"""Vibe HQ: the terminal headquarters of a software team whose workers are AI coding agents."""

__version__ = "0.1.0"
