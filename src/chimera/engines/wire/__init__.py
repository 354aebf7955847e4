"""The measured path: requests as bytes, a stamp for each piece that arrives, nothing decoded."""
