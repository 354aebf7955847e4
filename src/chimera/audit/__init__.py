"""The audit: any report, claim by claim, held against the data that it claims to describe."""

from chimera.audit.auditor import Auditor, audit_folder
from chimera.audit.claim import BAD, GOOD, LABELS, Audit, Bound, Claim, Place

__all__ = [
    "BAD",
    "GOOD",
    "LABELS",
    "Audit",
    "Auditor",
    "Bound",
    "Claim",
    "Place",
    "audit_folder",
]
