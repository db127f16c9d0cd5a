"""What a definition can say, as values without I/O and without any output format."""

from obsgen.model.agreement import Agreement
from obsgen.model.budget import ErrorBudget, SuccessRatio
from obsgen.model.catalog import Catalog, Domain, Project
from obsgen.model.dashboard import (
    AlertList,
    Annotation,
    BarGauge,
    Dashboard,
    Heatmap,
    Panel,
    Query,
    Row,
    Stat,
    StateTimeline,
    Table,
    Text,
    TimeSeries,
)
from obsgen.model.hours import since_closing
from obsgen.model.inhibition import Inhibition
from obsgen.model.objective import BurnRate, Objective
from obsgen.model.proof import Firing, Given, Proof, Sample
from obsgen.model.routing import Email, Hours, Notify, PagerDuty, Routing, Slack, Smtp, Webhook
from obsgen.model.rule import (
    HOLD,
    THRESHOLD,
    VALUE,
    Alert,
    Comparison,
    Level,
    Recording,
    Runbook,
    Step,
    Threshold,
    critical,
    info,
    warning,
)
from obsgen.model.severity import Severity
from obsgen.model.sli import Events, Latency, TimeSlices
from obsgen.model.team import Team
from obsgen.model.watch import SourceWatch

__all__ = [
    "HOLD",
    "THRESHOLD",
    "VALUE",
    "Agreement",
    "Alert",
    "AlertList",
    "Annotation",
    "BarGauge",
    "BurnRate",
    "Catalog",
    "Comparison",
    "Dashboard",
    "Domain",
    "Email",
    "ErrorBudget",
    "Events",
    "Firing",
    "Given",
    "Heatmap",
    "Hours",
    "Inhibition",
    "Latency",
    "Level",
    "Notify",
    "Objective",
    "PagerDuty",
    "Panel",
    "Project",
    "Proof",
    "Query",
    "Recording",
    "Routing",
    "Row",
    "Runbook",
    "Sample",
    "Severity",
    "Slack",
    "Smtp",
    "SourceWatch",
    "Stat",
    "StateTimeline",
    "Step",
    "SuccessRatio",
    "Table",
    "Team",
    "Text",
    "Threshold",
    "TimeSeries",
    "TimeSlices",
    "Webhook",
    "critical",
    "info",
    "since_closing",
    "warning",
]
