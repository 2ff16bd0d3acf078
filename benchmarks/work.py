"""The work that every case does: a message, N steps and a final answer, the same bytes for all."""

STEPS = 10
THREADS = 200
PEER_THREADS = 50
"""What others do of them: a step costs them the same, and takes longer."""
LONG_STEPS = 500
EARLY, LATE = 50, 500
WINDOW = 40
"""Steps whose median stands for one point of a curve: those around EARLY, and the last ones."""
CROWD = 100
RESUMES = 20
"""Approvals whose median stands for a warm resume."""
SCALES = (1_000, 10_000, 100_000)
"""Events of one thread."""
TURNS = 20
"""Of each of them, whose median stands for one."""
BATCH = 1_000
CURVE_STEPS = (100, 250, 500, 1_000)
"""Of one thread: where its cost per step is looked at."""
CURVE_THREADS = (100, 1_000, 10_000)
"""That the store holds already."""
CURVE_TENANTS = (1, 10, 100)
CURVE_SAMPLE = 100
"""Threads whose median stands for one point of the last two curves."""
RATIO_MAX = 100
"""Beyond it a ratio to the floor says nothing: the floor is too near to nothing."""
WORKERS = (1, 2, 4)
MODEL_S = 0.02
YOUNG_MAX = 5_000
"""As `twelvefold worker` and `serve` set it: `twelvefold.cli.here`."""

TASK = "Which of our services were deployed today, and did every deploy pass its checks?"
ANSWER = "All of them were deployed, and every check passed."
RESULT = {
    "service": "checkout",
    "version": "v2.14.3",
    "deployed_by": "release pipeline #4181",
    "checks": ["lint", "unit", "e2e", "canary"],
    "healthy": True,
    "notes": "Canary took 5 % of the traffic for 12 minutes; no rise in errors or latency was seen."
    " Rolled out to three regions, eu first, then us and ap. The old version stays warm for one"
    " hour.",
}
"""As JSON 330 bytes."""


def query(step: int) -> str:
    return f"service {step}"
