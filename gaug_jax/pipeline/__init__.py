"""The stages in their order: what the binaries call with a config and a work folder."""
