"""What type of work a task asks for: known where tasks are, for rules about patches ask for it too."""

from vibehq_tui.tasks.kinds import guess_type, labels

__all__ = ["guess_type", "labels"]
