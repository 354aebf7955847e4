"""Contract suites that every implementation must pass; for tests only."""
