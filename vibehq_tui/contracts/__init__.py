"""Wire models: patch operations and batches, events, WebSocket messages, and the JSON Schemas of all records."""
