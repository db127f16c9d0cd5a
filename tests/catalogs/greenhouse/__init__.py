"""A small catalog that has nothing to do with a music bot: a greenhouse with two domains."""
