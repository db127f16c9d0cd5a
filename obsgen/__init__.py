"""obsgen: one typed metric catalog in; dashboards, rules, docs and runbooks out."""
