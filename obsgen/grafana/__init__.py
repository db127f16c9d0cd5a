"""A live Grafana, brought to what was reviewed in `generated/`.

The data goes one way: `wanted` reads the reviewed files, `reader` reads the live Grafana, `plan` compares the two
without touching either, `apply` does what the plan says and looks whether it came out. What a run is about to change is
saved by `runs` first, and `undo` plans the way back.
"""
