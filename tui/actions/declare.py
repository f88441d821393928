"""What an action is: kind, risk, target, form field, and the row that ties them together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tui.hyperv.cluster import Cluster, ClusterNode, Role, SharedVolume
from tui.hyperv.model import Host, HostVitals, Inventory, Job, Replica, Switch, Vm, VmVitals
from tui.hyperv.sheet import Sheet

if TYPE_CHECKING:  # the deck reads this table at start-up and never calls a host itself
    from tui.hyperv.ops.moving import Reach
    from tui.hyperv.outcome import Outcome, Step, Steps
    from tui.hyperv.verdict import HostVerdict
    from tui.wsman.client import CimClient


class Kind(StrEnum):
    """What an action applies to."""

    VM = "vm"
    HOST = "host"
    SWITCH = "switch"
    JOB = "job"
    ROLE = "role"
    NODE = "node"
    CSV = "csv"
    """A cluster shared volume."""
    REPLICA = "replica"
    """One end of a replication relationship."""
    APP = "app"
    """The deck itself; needs no target."""


class Risk(StrEnum):
    """The rung of the confirmation ladder."""

    GREEN = "green"
    """Nothing is asked."""
    AMBER = "amber"
    """A dialog names object, host and effect; answered by ``y``, never by Enter."""
    RED = "red"
    """The name, or for a set the number of objects, is typed. Never bound to a single key."""


class Part(StrEnum):
    """A part of a machine that an action works on; its ``part`` field says which one."""

    DISK = "disk"
    DVD = "dvd"
    NIC = "nic"
    CHECKPOINT = "checkpoint"
    INTEGRATION = "integration"


def highest(risks: Iterable[Risk]) -> Risk:
    """The worst of several rungs; green when there are none."""
    return max(risks, key=list(Risk).index, default=Risk.GREEN)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing an action may act on, with all that is known of it and its host."""

    kind: Kind
    id: str
    name: str
    host: Host
    host_vitals: HostVitals
    vm: Vm | None = None
    vitals: VmVitals | None = None
    switch: Switch | None = None
    job: Job | None = None
    sheet: Sheet | None = None
    """The machine in full, where it has been read."""
    around: Callable[[], Inventory] | None = None
    """What else is on its host: switches to connect to, names and addresses that are taken."""
    fleet: Callable[[], Mapping[str, Inventory]] | None = None
    """Every host, by id: where a machine could go, what is taken elsewhere."""
    cluster: Cluster | None = None
    """The failover cluster it belongs to or its host is a node of."""
    guarded: str = ""
    """A host of that cluster that is configured read-only: what is done to the cluster may touch
    it."""
    role: Role | None = None
    """The role it is, or that holds the machine."""
    node: ClusterNode | None = None
    """The node it is, or that the host is."""
    volume: SharedVolume | None = None
    replica: Replica | None = None
    partner: Replica | None = None
    """The other end of its relationship, where that host is configured too."""
    chosen: str = ""
    """The part of the machine a form is about, once it is known (see ``Action.about``)."""

    @property
    def seen_state(self) -> int | None:
        """EnabledState of a machine, or ReplicationState, as it is shown; a call is refused when
        the host differs.
        """
        if self.kind is Kind.REPLICA:
            return self.replica.state if self.replica else None
        return self.vitals.state if self.kind is Kind.VM and self.vitals else None


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer a field offers."""

    value: Any
    text: str
    note: str = ""
    """What tells it from the others, or speaks against it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form; on the command line one option ``--id``."""

    id: str
    title: str
    help: str
    type: Callable[[str], Any] = str
    """From what is typed to the value; raises ValueError with the reason in words. ``bool``
    fields are switches. See ``amounts`` for sizes and rates."""
    current: Callable[[Target], Any] | None = None
    """The value now, shown and pre-filled."""
    problem: Callable[[Target, Any], str | None] | None = None
    """Why a value cannot be taken, in words; None when it can."""
    choices: Callable[[Target], Sequence[Choice]] | None = None
    """The answers there are, from what is known of the target; None: anything of ``type``."""
    free: bool = False
    """With ``choices``: other values may be typed as well."""
    shown: Callable[[Any], str] = str
    """A value as people read it: ``4 GB`` for a number of bytes."""
    optional: bool = False
    """May be left empty; the value is then None."""
    when: Callable[[Mapping[str, Any]], bool] | None = None
    """Asked only while the other values say so; its value is ``current`` otherwise."""
    multiline: bool = False
    asked: bool = True
    """False: an option of the command line alone; the deck uses the current value."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    id: str
    """``noun.verb``: keymap id, CLI verb, help anchor."""
    title: str
    help: str
    """One sentence, no full stop."""
    kind: Kind
    run: Callable[[CimClient, Target, Mapping[str, Any]], Outcome | Steps] | str
    """The verb, run by the collector; or the name of a method of the deck."""
    key: str = ""
    """Default key, several separated by commas; empty: palette and CLI only."""
    why_not: Callable[[Target], str | None] | None = None
    """Pure and cheap: why it cannot be done now, in words; None when it can."""
    observed: Callable[[Target, Mapping[str, Any]], bool] | None = None
    """True when the host is seen as the arguments want it; None: done when the host says so."""
    since: Callable[[Target, Target, float, Mapping[str, Any]], bool] | None = None
    """``observed`` for what shows only against before: the target as it is, as it was when it
    was asked of the host, and when that was."""
    looked: Callable[[CimClient, Target, Mapping[str, Any]], bool] | None = None
    """``observed`` for what no refresh reads: asks the host itself, given the target as it was.
    With one of the others both must hold."""
    under_way: Callable[[Target, Target], int | None] | None = None
    """How far it is to be seen, in percent, from the target as it is and as it was before; None
    when nothing is under way. While it is, what is waited for may take its time."""
    missed: Callable[[Target, Mapping[str, Any], float], str | None] | None = None
    """Why it will not come to be any more, in words, so many seconds after the host accepted;
    None while it may."""
    of_cluster: bool = False
    """The failover cluster shows that it is done, though the target is a machine."""
    form: tuple[Field, ...] = ()
    risk: Risk = Risk.GREEN
    conflict: Callable[[Target, Mapping[str, Any]], str | None] | None = None
    """Why the values cannot be taken together, in words; each may be fine alone."""
    effect: str = ""
    """What the confirmation says will happen."""
    consequences: Callable[[Target, Mapping[str, Any]], Sequence[str]] | None = None
    """What exactly goes or loses contact, one line each, for the confirmation to list."""
    danger: Callable[[Target, Mapping[str, Any]], Risk] | None = None
    """The rung of the ladder where target and arguments decide; never below ``risk``."""
    vanishes: bool = False
    """It is done when its target is not on the host any more."""
    arrives: Callable[[Target, Mapping[str, Any]], str] | None = None
    """The id of the host on which ``observed`` is looked for, when that is another one; empty:
    the own. The target is done with when it is seen there and no longer here."""
    traced: Callable[[Target, float], Job | None] | None = None
    """The job that shows that the host took a call whose answer was lost, from what is read of
    the target and when it was asked."""
    verdict: (
        Callable[
            [CimClient, Reach | None, Target, Mapping[str, Any]], Generator[Step, None, HostVerdict]
        ]
        | None
    ) = None
    """Asks the host whether it would, and changes nothing."""
    opens: str = ""
    """The deck's own way of asking about it instead of the form: a method of its commands."""
    calls: str = ""
    """The CIM method behind it, as the confirmation and ``--dry-run`` show it."""
    many: bool = True
    """May act on a marked set."""
    part: Part | None = None
    """The part of the machine it works on. Its first field, ``part``, chooses which; a sheet
    that shows the parts fills it in. Actions that add a part have no such field."""
    planned: bool = False
    """It is planned first and carried out as calls of other actions; ``run`` names the deck's
    method that shows the plan, and no lane runs it."""
    needs_sheet: bool = False
    """The machine's sheet is read before it is asked about and again before it is run."""
    deep: bool = False
    """It changes settings though it asks for none: they are read to see that it is done."""
    group: str = ""
    """Heading in palette and help."""

    @property
    def changes(self) -> bool:
        """It changes a host, so read-only mode withholds it."""
        return self.planned or not isinstance(self.run, str)

    def risk_of(self, target: Target, arguments: Mapping[str, Any]) -> Risk:
        """The rung of the confirmation ladder for one call."""
        if self.danger is None:
            return self.risk
        return highest((self.risk, self.danger(target, arguments)))

    def foretell(self, target: Target, given: Mapping[str, Any]) -> tuple[Risk, Sequence[str]]:
        """The rung for one call and what will go by it, as far as the target is known."""
        if self.needs_sheet and target.sheet is None:
            return self.risk, ()
        arguments = self.filled(target, given)
        told = self.consequences(target, arguments) if self.consequences else ()
        return self.risk_of(target, arguments), told

    def about(self, target: Target, arguments: Mapping[str, Any]) -> Target:
        """The target with the part its arguments choose: the fields after it start from that."""
        chosen = arguments.get(self.part) if self.part is not None else None
        return replace(target, chosen=str(chosen)) if chosen else target

    def filled(self, target: Target, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every argument: what was given, and for the rest what holds now."""
        found: dict[str, Any] = {}
        for field in self.form:
            if field.id in given:
                found[field.id] = given[field.id]
            elif field.current is not None:
                found[field.id] = field.current(self.about(target, found))
            else:
                found[field.id] = None
        return found

    def objection(self, target: Target, arguments: Mapping[str, Any]) -> str | None:
        """The first thing that speaks against the arguments, in words."""
        target = self.about(target, arguments)
        for field in self.form:
            value = arguments.get(field.id)
            if field.when is not None and not field.when(arguments):
                continue
            if value is None and field.id in arguments and not field.optional:
                return f"{field.title} is not given"
            if value is None or field.problem is None:
                continue
            if (why := field.problem(target, value)) is not None:
                return f"{field.title}: {why}"
        return self.conflict(target, arguments) if self.conflict else None

    @property
    def shows(self) -> bool:
        """What is read of the host can tell that it is done."""
        seen = (self.observed, self.since, self.looked)
        return self.vanishes or any(one is not None for one in seen)

    def wanted(
        self, arguments: Mapping[str, Any], before: Target, asked_at: float
    ) -> Callable[[Target], bool] | None:
        """For one call: what its target must look like in an inventory for it to be done."""
        observed, since = self.observed, self.since
        if since is not None:
            return lambda target: since(target, before, asked_at, arguments)
        if observed is not None:
            return lambda target: observed(target, arguments)
        return None
