"""The hub: what was measured, and the file that keeps it."""
