"""A job that does not get on to its next state."""

from datetime import timedelta

from domain.findings.finding import Finding, Severity, Verdict, span
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "stuck"
ADVICE = {
    "Starting": "Nothing is billed yet. Stop it and try another instance type or zone if it does not start soon.",
    "Pending": "Nothing is billed while it waits for capacity. Another instance type, region or a training plan may be quicker.",
    "Downloading": "Its instances are billed. Look at the size of its input and image; FastFile or Pipe mode starts sooner.",
    "Uploading": "Its instances are billed. Look at what it writes to /opt/ml/model and /opt/ml/output, which is all uploaded.",
    "Stopping": "SageMaker sends SIGTERM and waits 120 s, then uploads. Open a case with AWS if it stays so.",
}
_SAME = {
    "LaunchingMLInstances": "Starting",
    "PreparingTrainingStack": "Starting",
    "DownloadingTrainingImage": "Downloading",
}


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning for a state that lasts longer than its limit, critical where instances are billed; a wait for spot is not stuck."""
    job, since = situation.job, situation.in_status_since
    status = _SAME.get(job.secondary_status or "", job.secondary_status or "")
    if job.status == "Stopping":
        status = "Stopping"
        since = next((row.start for row in reversed(job.transitions) if row.status == "Stopping"), None)
    allowed = {
        "Starting": limits.stuck_starting_minutes,
        "Pending": limits.stuck_pending_minutes,
        "Downloading": limits.stuck_downloading_minutes,
        "Uploading": limits.stuck_uploading_minutes,
        "Stopping": limits.stuck_stopping_minutes,
    }.get(status)
    if allowed is None or since is None or not job.is_live or (status in ("Starting", "Pending") and job.is_waiting):
        return None
    length = situation.now - since
    if length <= timedelta(minutes=allowed):
        return None
    severity: Severity = "critical" if situation.burn_nusd != 0 else "warning"
    words = f"{status} for {span(length)}; {span(timedelta(minutes=allowed))} is the most it should take."
    wasted = situation.spent_since(since + timedelta(minutes=allowed))
    return Finding(RULE, severity, since + timedelta(minutes=allowed), words, ADVICE[status], wasted)
