"""Sections of the report of `repair`."""
