"""Whether lost writes are explained: what asynchronous replication and the owner permit."""

from dataclasses import dataclass, field


@dataclass
class Span:
    """A time at whose beginning every member held everything."""

    members: frozenset
    hit: set = field(default_factory=set)  # whose process was hit, or rebooted
    removed: set = field(default_factory=set)  # that were deleted

    @property
    def gone(self):
        return self.hit | self.removed


@dataclass
class Deeds:
    """What happened to one group in one round."""

    spans: list
    wiped: str = ""  # the owner's deed that gives up the data, in words
    at_risk: int = 0  # bytes, of all failovers that were not planned

    @property
    def now(self):
        return self.spans[-1]

    def was_hit(self, member):
        return any(member in span.hit for span in self.spans)


def stream_bytes(number):
    """How long the write `set n:NUMBER NUMBER` is in the replication stream."""
    return sum(len(f"${len(word)}\r\n{word}\r\n")
               for word in ("set", f"n:{number}", str(number))) + len("*3\r\n")


@dataclass(frozen=True)
class Lost:
    """An acknowledged write that is not there."""

    number: int
    confirmed: int = 0  # how many replicas said that they had it
    holders: frozenset = frozenset()  # replicas of the primary that took it, none of them hit
    last: bool = False  # taken so late that the primary may have died before it sent it to them
    late: bool = False  # taken after hikae may have asked that primary how far it was


def judge(lost, deeds):
    """Returns (explanation, "") or ("", complaint), or two empty texts when nothing was lost."""
    if not lost:
        return "", ""
    if deeds.wiped:
        return deeds.wiped, ""
    if not any(span.hit for span in deeds.spans):
        return "", "no member was hit"
    if any(span.members <= span.gone for span in deeds.spans):
        return "every member that held them was hit", ""
    # A write with c confirmations was on c + 1 members, so one that was never hit still has it.
    gone = max((span.gone for span in deeds.spans), key=len)
    for one in lost:
        if one.confirmed >= len(gone):
            return "", (f"{one.number} had been confirmed by {one.confirmed} replicas, and no more "
                        f"than {sorted(gone)} were hit")
        if one.holders and not one.last:
            return "", (f"{one.number} was taken while {sorted(one.holders)} followed the primary, "
                        f"and they were not hit")
    size = sum(stream_bytes(one.number) for one in lost)
    early = sum(stream_bytes(one.number) for one in lost if not one.late)
    if early <= deeds.at_risk:
        return f"{size} bytes, and {deeds.at_risk} were reported at risk", ""
    return "", (f"{early} bytes were taken long before the primary died, and {deeds.at_risk} were "
                f"reported at risk")
