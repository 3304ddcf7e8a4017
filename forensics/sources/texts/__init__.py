"""Text: categories of it and sentences; the doors are `corpora` and `sentences`."""
