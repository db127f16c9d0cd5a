"""Who owns the definitions, and who acts on their alerts."""

from obsgen.model import Team

OBSERVABILITY = Team(name="observability", title="Observability Team")
COMPLIANCE_DESK = Team(name="compliance-desk", title="Compliance Desk")
ACCOUNT_MANAGERS = Team(name="account-managers", title="Account Managers")
