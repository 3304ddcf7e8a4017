"""Tokens that distort a text-embedding model (Chen et al. 2025, arXiv 2507.18171)."""
