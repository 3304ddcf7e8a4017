"""Sections of a search for sticky tokens."""
