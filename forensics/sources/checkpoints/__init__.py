"""Folders and files of a model's weights; the door is `checkpoint`."""
