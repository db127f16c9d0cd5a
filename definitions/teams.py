"""Who owns the definitions, who acts on their alerts, and how they are told."""

from obsgen.model import Hours, Notify, PagerDuty, Slack, Team

# The files are on Alertmanager's host; what they hold is nobody's business here.
SECRETS = "/etc/alertmanager/secrets"

OPS = Slack(name="slack-ops", channel="#vectobeat-ops", url_file=f"{SECRETS}/slack-url")
AUTOMATION = Slack(name="slack-automation", channel="#vectobeat-automation", url_file=f"{SECRETS}/slack-url")
CONCIERGE = Slack(name="slack-concierge", channel="#vectobeat-concierge", url_file=f"{SECRETS}/slack-url")
ON_CALL = PagerDuty(name="pagerduty-ops", service="VectoBeat", routing_key_file=f"{SECRETS}/pagerduty-ops-key")
CONCIERGE_ON_CALL = PagerDuty(
    name="pagerduty-concierge", service="VectoBeat Concierge", routing_key_file=f"{SECRETS}/pagerduty-concierge-key"
)

# The concierge works at these hours; a ticket that is late at night is late in the morning, too.
OFFICE = Hours(name="office", weekdays=("monday:friday",), begin="08:00", end="20:00", location="Europe/Berlin")

OBSERVABILITY = Team(
    name="observability",
    title="Observability Team",
    notify=Notify(critical=(ON_CALL, OPS), warning=(OPS,)),
)
# The guide: Slack for automation regressions. Critical ones page as well.
COMPLIANCE_DESK = Team(
    name="compliance-desk",
    title="Compliance Desk",
    notify=Notify(critical=(ON_CALL, AUTOMATION), warning=(AUTOMATION,)),
)
# The guide: PagerDuty when SLA violations exceed a threshold.
ACCOUNT_MANAGERS = Team(
    name="account-managers",
    title="Account Managers",
    notify=Notify(critical=(CONCIERGE_ON_CALL, CONCIERGE), warning=(CONCIERGE,), hours=OFFICE),
)
