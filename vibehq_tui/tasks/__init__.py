"""The tasks file: read, checked, watched, mirrored into the store and written back; plans become tasks."""
