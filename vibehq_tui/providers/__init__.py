"""The agents that can do tasks: which there are, which this machine has, and which does what."""
