"""Sections of an index."""
