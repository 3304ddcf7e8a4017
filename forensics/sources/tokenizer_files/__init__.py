"""Files and folders of tokenizers; the door is `open_tokenizer.open_tokenizer`, the rest is internal.

One module per format; `source` makes a `TokenizerSource` of what a format found, and `class_folder`, with the
three tables beside it, reads folders from before `tokenizer.json`.
"""
