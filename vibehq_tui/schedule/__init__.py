"""When scans run, and which of the processes on a workspace runs them."""
