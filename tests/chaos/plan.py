"""What chaos is going to do: a function of the seed and the number of the round, nothing else.

A step names its target by its part ("the primary", "the second replica"), because who plays that
part is known only when the step is done. So a round can be repeated alone: `--seed S --round N`.
"""

import random
from dataclasses import dataclass

# Milliseconds after the step before; most faults that matter fall into the steps of another one.
SPANS = ((0, 0), (0, 15), (15, 120), (120, 800), (800, 2500))
SPAN_WEIGHTS = (15, 30, 25, 20, 10)
# How long a stopped process stays so. 50 ms make it hang in the eyes of its agent.
STOPS = ((5, 40), (60, 300), (300, 3000))
# How long the control plane is away. Its engines hold back writes for 5 s in a switchover.
AWAY = ((0, 0), (10, 200), (200, 1500), (5500, 6500))
AWAY_WEIGHTS = (30, 35, 25, 10)

PERMANENT = ("alpha", "beta", "gamma")
EXTRA = ("delta", "epsilon")


@dataclass(frozen=True)
class Step:
    after_ms: int  # since the step before
    action: str  # a method of faults.Faults, with blanks for its underscores
    group: str = ""
    choice: int = 0  # a number from which the target is taken, where there are several
    argument: object = None

    def __str__(self):
        words = [self.action]
        if self.group:
            words.append(f"in {self.group}")
        if self.argument is not None:
            words.append(f"({self.argument})")
        return " ".join(words)


def make_round(seed, number):
    source = random.Random(f"{seed}/{number}")
    steps = []
    for group in source.sample(PERMANENT, source.choice((1, 1, 2, 3))):
        if source.random() < 0.3:
            steps.append(Step(0, "switch failover on", group))
        steps += [_group_step(source, group) for _ in range(source.choice((1, 1, 2, 2, 3)))]
    if source.random() < 0.25:
        steps.append(_extra_step(source))
    source.shuffle(steps)
    if source.random() < 0.35:
        _insert_absence(source, steps)
    elif source.random() < 0.1:
        steps.insert(source.randrange(len(steps) + 1), _freeze(source))
    return steps


def _after(source):
    return source.randint(*source.choices(SPANS, SPAN_WEIGHTS)[0])


def _insert_absence(source, steps):
    """hikae goes at any point, and comes back at once or after some of the steps."""
    how = source.choice(("kill hikae", "kill hikae", "terminate hikae"))
    away = source.randint(*source.choices(AWAY, AWAY_WEIGHTS)[0])
    goes = source.randrange(len(steps) + 1)
    comes = source.choice((goes, source.randint(goes, len(steps))))
    steps.insert(comes, Step(away, "start hikae"))
    steps.insert(goes, Step(_after(source), how))


def _freeze(source):
    return Step(_after(source), "freeze hikae", argument=source.randint(*source.choice(STOPS)))


def _signal(source):
    """The fault, and for how long when it is one that passes."""
    how = source.choice(("KILL", "KILL", "SEGV", "STOP"))
    return how if how != "STOP" else f"STOP {source.randint(*source.choice(STOPS))}"


def _fault(action):
    return lambda source, group: Step(_after(source), action, group, source.randrange(64),
                                      _signal(source))


def _plain(action):
    return lambda source, group: Step(_after(source), action, group, source.randrange(64))


GROUP_STEPS = (
    (26, _fault("hit primary")),
    (12, _fault("hit replica")),
    (4, _fault("hit everyone")),
    (20, _plain("switch over")),
    (9, _plain("test failover")),
    (2, _plain("reboot primary")),
    (6, _plain("reboot replica")),
    (4, _plain("describe")),
    (5, _plain("switch failover off")),
    (5, _plain("switch failover on")),
    (5, _plain("add replica")),
    (5, _plain("delete replica")),
)


def _group_step(source, group):
    make = source.choices([make for _, make in GROUP_STEPS],
                          [weight for weight, _ in GROUP_STEPS])[0]
    return make(source, group)


def _extra_step(source):
    return Step(_after(source), "toggle group", source.choice(EXTRA))
