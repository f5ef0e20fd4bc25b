"""Plans become commits, through plumbing."""
