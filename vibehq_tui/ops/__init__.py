"""Scans that look for trouble, and the issues that they find."""
