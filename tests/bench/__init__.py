"""How long obsgen takes, and how much memory, for catalogs of many services. Run by `make bench`, not by pytest."""
