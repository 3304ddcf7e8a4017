"""Sections of a scan."""
