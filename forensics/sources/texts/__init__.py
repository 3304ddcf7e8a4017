"""Text: categories of it, sentences and small files; the doors are `corpora` and `sentences`."""
