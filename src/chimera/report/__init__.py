"""The report: rendered as Markdown, HTML and JSON, checked, and written whole or not at all."""
