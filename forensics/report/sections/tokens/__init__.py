"""Sections of a vocabulary alone."""
