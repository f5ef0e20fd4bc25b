"""The patches of a workspace in the store: proposed, reviewed, decided, applied, taken out again."""
