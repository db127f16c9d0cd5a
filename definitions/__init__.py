"""VectoBeat's catalog: one file for each section of the metrics guide.

`teams.py` and `sources.py` say who there is and who exposes what; `project.py` holds what concerns everything.
Every other file ends with a `DOMAIN`: its metrics, alerts and dashboards.
"""
