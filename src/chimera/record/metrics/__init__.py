"""One metric of one request per file: its formula and its source in the docstring."""
