"""Batches of real images on the devices: resident there, streamed from the host, or Poisson's."""
