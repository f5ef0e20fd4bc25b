"""The command lines: ``vibehq`` and ``patchctl``. Thin: what a command does is decided in the services."""
