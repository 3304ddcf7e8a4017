"""Sections of a tokenizer audit."""
