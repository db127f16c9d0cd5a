"""What a definition can say, as values without I/O and without any output format."""

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
from obsgen.model.objective import BurnRate, Objective
from obsgen.model.proof import Firing, Given, Proof, Sample
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
    "Alert",
    "AlertList",
    "Annotation",
    "BarGauge",
    "BurnRate",
    "Catalog",
    "Comparison",
    "Dashboard",
    "Domain",
    "ErrorBudget",
    "Events",
    "Firing",
    "Given",
    "Heatmap",
    "Latency",
    "Level",
    "Objective",
    "Panel",
    "Project",
    "Proof",
    "Query",
    "Recording",
    "Row",
    "Runbook",
    "Sample",
    "Severity",
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
    "critical",
    "info",
    "warning",
]
