"""The stages in their order: what the binaries call with settings and a work folder."""
