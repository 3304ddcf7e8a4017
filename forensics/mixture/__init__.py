"""What a BPE tokenizer's merge list tells about the mixture of its training data."""
