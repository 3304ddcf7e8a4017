"""How good, fair and sound a tokenizer is: quality per language, vocabulary, integrity, templates."""
