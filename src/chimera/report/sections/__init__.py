"""The sections of a report: one file each, from facts and wording to blocks."""
