"""Terminals and logs: what agents and builds print."""
