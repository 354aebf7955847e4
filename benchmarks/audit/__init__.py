"""Labelled cases for the audit, and the table of what it finds in them.

Nothing here imports ``chimera.facts``: the truth of a case is worked out from the values that its
folder was written with. Only ``adapter`` touches the audit.
"""
