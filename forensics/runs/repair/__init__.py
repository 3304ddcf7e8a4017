"""`repair`: neutral rows for untrained tokens, behind a guard."""
