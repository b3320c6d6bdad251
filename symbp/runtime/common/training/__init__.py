"""Parameters, the state of training, epochs, checks of gradients, files."""
