"""What can be read from activations by a linear map, as a plugin."""
