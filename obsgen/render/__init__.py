"""One module for each kind of artifact: a catalog in, plain data or text out."""
