"""The host's side of training: the loop, its dispatches, checkpoints, logs and how it stops."""
