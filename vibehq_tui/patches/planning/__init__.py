"""From changes and a tree to a plan: every hunk at its one place, or merged over a known base."""
