"""Every dashboard in a real Grafana and a real browser, with data and with incidents.

They run when `OBSGEN_TEST_GRAFANA_URL` names a Grafana: see CONTRIBUTING.md. Screenshots are kept in the folder that
`OBSGEN_TEST_SCREENSHOTS` names.
"""
