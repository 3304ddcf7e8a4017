"""Sections of the report of `membership`."""
