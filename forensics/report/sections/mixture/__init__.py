"""Sections of a data mixture."""
