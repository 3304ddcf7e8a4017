"""Sections that several commands have."""
