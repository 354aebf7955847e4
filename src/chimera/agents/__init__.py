"""Agents: a target, options and a persona, working through ingest, analysis and report."""
