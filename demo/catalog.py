"""What the teams train, how often and how long: the rows from which a day's ordinary jobs are drawn."""

from dataclasses import dataclass
from typing import Final, Literal

Rhythm = Literal["office", "around_the_clock", "six_hourly"]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of job: `per_day` is the average over a week, `hours` the median, `spread` how far it strays."""

    team: str
    project: str
    model: str
    instance_type: str
    count: int
    per_day: float
    hours: float
    spread: float
    spot: float
    rhythm: Rhythm = "office"
    metric: str = "validation:loss"


ROWS: Final = (
    # Short work, started in office hours.
    Row("rc", "fraud", "gnn", "ml.g5.12xlarge", 2, 0.50, 9, 0.45, 0.40),
    Row("rc", "fraud", "graph", "ml.p3.8xlarge", 1, 0.40, 11, 0.35, 0.0),
    Row("rc", "fraud", "xgboost", "ml.m5.4xlarge", 1, 0.30, 3, 0.45, 0.0, metric="validation:auc"),
    Row("rc", "credit", "tabnet", "ml.g5.2xlarge", 1, 0.14, 6, 0.45, 0.60),
    Row("algo", "ranking", "dlrm", "ml.p3.8xlarge", 1, 0.55, 8, 0.45, 0.40),
    Row("algo", "ranking", "moe", "ml.p3.16xlarge", 1, 0.12, 8, 0.30, 0.0),
    Row("algo", "pricing", "lightgbm", "ml.m5.4xlarge", 1, 0.25, 3, 0.45, 0.0, metric="validation:rmse"),
    Row("algo", "project", "pytorch-cnn", "ml.g5.2xlarge", 1, 0.12, 5, 0.45, 0.50),
    Row("algo", "project-x", "pytorch-cnn", "ml.g5.2xlarge", 1, 0.12, 5, 0.45, 0.50),
    Row("nlp", "llm", "llama-sft", "ml.p4d.24xlarge", 1, 0.55, 13, 0.35, 0.10),
    Row("nlp", "intent", "bert", "ml.g5.2xlarge", 1, 0.16, 5, 0.45, 0.70),
    Row("nlp", "summarize", "t5", "ml.p3.16xlarge", 1, 0.55, 7, 0.35, 0.50),
    Row("vision", "detect", "yolo", "ml.g5.12xlarge", 1, 0.55, 9, 0.45, 0.60),
    Row("vision", "segment", "sam", "ml.p3.8xlarge", 2, 0.55, 9, 0.40, 0.50),
    Row("vision", "ocr", "trocr", "ml.g5.2xlarge", 1, 0.12, 6, 0.45, 0.60),
    Row("search", "retrieval", "dual-encoder", "ml.p3.8xlarge", 1, 0.65, 11, 0.40, 0.30),
    Row("search", "rerank", "cross-encoder", "ml.g5.2xlarge", 1, 0.14, 5, 0.45, 0.60),
    Row("growth", "creative", "clip", "ml.g5.2xlarge", 1, 0.16, 6, 0.45, 0.50),
    Row("growth", "uplift", "xgboost", "ml.m5.xlarge", 1, 4.00, 0.4, 0.02, 0.0, "six_hourly", "validation:qini"),
    # Long runs of three and a half to four and a half days, started at any hour: what is alive at any moment.
    Row("rc", "fraud", "gnn-pretrain", "ml.g5.12xlarge", 1, 0.45, 101, 0.06, 1.0, "around_the_clock"),
    Row("rc", "credit", "lightgbm", "ml.m5.4xlarge", 1, 0.72, 101, 0.06, 0.0, "around_the_clock", "validation:auc"),
    Row("algo", "ranking", "sasrec", "ml.p3.2xlarge", 1, 0.45, 101, 0.06, 1.0, "around_the_clock"),
    Row("algo", "pricing", "catboost", "ml.m5.4xlarge", 1, 0.45, 101, 0.06, 0.0, "around_the_clock", "validation:rmse"),
    Row("nlp", "intent", "bert-large", "ml.g5.2xlarge", 1, 0.60, 101, 0.06, 1.0, "around_the_clock"),
    Row("nlp", "llm", "mistral-lora", "ml.g5.12xlarge", 2, 0.25, 101, 0.06, 1.0, "around_the_clock"),
    Row("vision", "ocr", "donut", "ml.g5.2xlarge", 1, 0.60, 101, 0.06, 1.0, "around_the_clock"),
    Row("vision", "detect", "dino", "ml.g5.12xlarge", 1, 0.25, 101, 0.06, 1.0, "around_the_clock"),
    Row("search", "rerank", "colbert", "ml.g5.2xlarge", 1, 0.45, 101, 0.06, 1.0, "around_the_clock"),
    Row("search", "retrieval", "splade", "ml.p3.2xlarge", 1, 0.14, 101, 0.06, 0.0, "around_the_clock"),
    Row("growth", "ltv", "lightgbm", "ml.m5.4xlarge", 1, 0.25, 101, 0.06, 0.0, "around_the_clock", "validation:rmse"),
    Row("growth", "creative", "clip-large", "ml.g5.xlarge", 1, 0.45, 101, 0.06, 1.0, "around_the_clock"),
)

WEEK: Final = (1.25, 1.30, 1.30, 1.25, 1.10, 0.42, 0.38)
"""How much of an average day's office work is started on each day, Monday first; they add up to seven."""
