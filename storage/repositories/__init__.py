"""One small module per table family; all SQL on records stands here."""
