"""GGUF, the format of llama.cpp: the doors are `file` (tensors) and `tokenizer.read_gguf_tokenizer`."""
