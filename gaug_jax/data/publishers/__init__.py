"""Facts of published data sets: names, licences, citations, and how their folders are laid out."""
