"""The greenhouse: who grows, and what measures."""

from obsgen.model import Email, Hours, Notify, PagerDuty, Project, Routing, Slack, Smtp, Team, Webhook
from obsgen.promql import Source

CHAT = Slack(name="chat", channel="#growers", url_file="/secrets/chat")
PIPES = Email(name="pipes", to="pipes@example.org")
BELL = Webhook(name="bell", url="http://bell.example.org/ring")
PAGER = PagerDuty(name="pager", service="Greenhouse", routing_key_file="/secrets/pager")
DAYLIGHT = Hours(name="daylight", weekdays=["monday:saturday"], begin="06:00", end="22:00", location="Europe/Rome")

GROWERS = Team(name="growers", title="Growers", notify=Notify(critical=[CHAT, BELL], warning=[CHAT]))
PLUMBERS = Team(name="plumbers", title="Plumbers", notify=Notify(critical=[PAGER], warning=[PIPES], hours=DAYLIGHT))

SENSORS = Source(name="sensor-hub", title="Sensor hub", job="sensors", interval="11s", path="/probe", targets=["hub:9"])
PUMPS = Source(name="pump-controller", title="Pump controller", job="pumps", interval="13s")

PROJECT = Project(
    name="greenhouse",
    title="Greenhouse",
    description="Tomatoes under glass.",
    owner=GROWERS,
    docs_url="https://docs.example.org/greenhouse/",
    grafana_url="https://grafana.example.org",
    routing=Routing(
        receivers=[CHAT, PIPES, BELL, PAGER],
        alertmanagers=["am-1:9093", "am-2:9093"],
        smtp=Smtp(host="mail.example.org:587", sender="alerts@example.org", username="alerts", password_file="/s/mail"),
    ),
)
