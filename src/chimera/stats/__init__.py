"""Statistics in plain Python: checked against SciPy, light enough to import at once."""
