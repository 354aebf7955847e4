"""Statistics in plain Python: exact enough to test against SciPy, light enough to import at once."""
