"""Measure live engines: workloads, the bench, metrics of one request."""
