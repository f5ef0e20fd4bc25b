"""``vibehq demo``: a small real workspace, made in a few seconds, with an agent at work in it."""
