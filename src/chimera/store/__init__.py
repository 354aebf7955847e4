"""Where runs are kept: one contract, SQLite by default and PostgreSQL by its URL."""
