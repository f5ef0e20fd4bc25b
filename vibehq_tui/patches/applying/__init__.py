"""Plans become files, all or nothing; receipts, recovery, checks, and the engine in one call."""
