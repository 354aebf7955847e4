"""Readers: one a format. A reader turns text into raw tables and says what it refused."""
