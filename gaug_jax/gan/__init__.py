"""The GAN's mathematics: networks, losses and one step of training; no files and no threads."""
