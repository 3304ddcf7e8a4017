"""Files and folders of tokenizers, one module per format; the door is `open_tokenizer`."""
