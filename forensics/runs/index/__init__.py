"""A run of `index`: find the folders, read each, say what they are."""
