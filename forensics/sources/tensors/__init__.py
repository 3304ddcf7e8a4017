"""Files of named tensors, one module per format; the door is `open_tensor_file`."""
