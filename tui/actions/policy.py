"""Security, automatic actions, version and tags of a virtual machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.actions import amounts, names
from tui.actions.common import between, cold_only, given, hot_rule, is_off, vm_of
from tui.actions.declare import Action, Choice, Field, Kind, Risk, Target
from tui.hyperv import hot, templates
from tui.hyperv.ops import groups, settings
from tui.hyperv.sheet import Automatic, Security

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

_GROUP = "Settings"
_LONGEST_DELAY = 86_400

# -- security ------------------------------------------------------------------------------


def _security(target: Target) -> Security:
    if target.sheet is not None:
        return target.sheet.security
    vm = vm_of(target)
    return Security(secure_boot=bool(vm.secure_boot), tpm=bool(vm.tpm))


def _not_securable(target: Target) -> str | None:
    if vm_of(target).generation == 1:
        return f"{target.name} is of generation 1, which has no secure boot and no virtual TPM"
    return cold_only("its security")(target)


def _templates(target: Target) -> Sequence[Choice]:
    """Those the host supports, and the one that is set."""
    found = tuple(
        Choice(each.id, each.name, "for Linux" if each.id == templates.UEFI_CA else "")
        for each in templates.supported(target.host)
    )
    now = _security(target).template
    if not now or any(choice.value == now.lower() for choice in found):
        return found
    return (*found, Choice(now, templates.name(target.host, now), "its host does not list it"))


def _template(target: Target) -> str:
    return _security(target).template.lower()


def _template_problem(target: Target, value: Any) -> str | None:
    if value == _template(target):
        return None
    if _security(target).tpm:
        return "the template cannot change while the machine has a virtual TPM"
    return hot_rule("template", _template)(target, value)


def _tpm_problem(target: Target, value: Any) -> str | None:
    if _security(target).shielded and not value:
        return "a shielded machine keeps its virtual TPM"
    return hot_rule("tpm", lambda t: _security(t).tpm)(target, value)


def _set_security(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Steps:
    now = _security(target)
    template = str(given(arguments, "template", now.template))
    wanted = Security(
        id=now.id,
        secure_boot=given(arguments, "secure_boot", now.secure_boot),
        template=now.template if template == now.template.lower() else template,
        tpm=given(arguments, "tpm", now.tpm),
        encrypt_traffic=given(arguments, "encrypt_traffic", now.encrypt_traffic),
    )
    return settings.set_security(client, target.id, target.name, now, wanted)


def _security_seen(target: Target, arguments: Mapping[str, Any]) -> bool:
    vm = vm_of(target)
    return (
        given(arguments, "secure_boot", vm.secure_boot) == vm.secure_boot
        and given(arguments, "tpm", vm.tpm) == vm.tpm
    )


_SECURITY_FORM = (
    Field(
        "secure_boot",
        "Secure boot",
        "Start only boot loaders that the template trusts",
        bool,
        current=lambda target: _security(target).secure_boot,
        problem=hot_rule("secure_boot", lambda target: _security(target).secure_boot),
    ),
    Field(
        "template",
        "Template",
        "Whose boot loaders are trusted",
        current=_template,
        choices=_templates,
        problem=_template_problem,
        when=lambda values: bool(values.get("secure_boot")),
    ),
    Field(
        "tpm",
        "Virtual TPM",
        "Give it a TPM, its key sealed by this host; other hosts cannot start it without that key",
        bool,
        current=lambda target: _security(target).tpm,
        problem=_tpm_problem,
    ),
    Field(
        "encrypt_traffic",
        "Encrypt state and migration",
        "Encrypt saved state and the traffic of live migration",
        bool,
        current=lambda target: _security(target).encrypt_traffic,
        problem=hot_rule("encrypt_traffic", lambda target: _security(target).encrypt_traffic),
    ),
)


def _security_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    now = _security(target)
    encrypt = given(arguments, "encrypt_traffic", now.encrypt_traffic)
    if encrypt and not given(arguments, "tpm", now.tpm) and not now.encrypt_traffic:
        return "encryption needs the virtual TPM"
    return None


# -- automatic actions ---------------------------------------------------------------------

_STARTS = (
    Choice(2, "nothing"),
    Choice(3, "start if it was running"),
    Choice(4, "always start"),
)
_STOPS = (Choice(3, "save"), Choice(2, "turn off"), Choice(4, "shut down"))
_CRITICAL = (Choice(1, "pause"), Choice(0, "go on"))
CHECKPOINT_TYPES = (
    Choice(3, "production", "standard where production is not possible"),
    Choice(4, "production only"),
    Choice(5, "standard"),
    Choice(2, "disabled"),
)


def _automatic(target: Target) -> Automatic:
    if target.sheet is not None:
        return target.sheet.automatic
    vm = vm_of(target)
    return Automatic(start=vm.automatic_start, stop=vm.automatic_stop)


def _set_automatic(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    now = _automatic(target)
    wanted = Automatic(
        start=given(arguments, "start", now.start),
        start_delay=given(arguments, "start_delay", now.start_delay),
        stop=given(arguments, "stop", now.stop),
        critical=given(arguments, "critical", now.critical),
        checkpoint_type=given(arguments, "checkpoint_type", now.checkpoint_type),
        automatic_checkpoints=given(arguments, "automatic_checkpoints", now.automatic_checkpoints),
    )
    return settings.set_automatic(client, target.id, target.name, now, wanted)


def _automatic_seen(target: Target, arguments: Mapping[str, Any]) -> bool:
    vm = vm_of(target)
    return (
        given(arguments, "start", vm.automatic_start) == vm.automatic_start
        and given(arguments, "stop", vm.automatic_stop) == vm.automatic_stop
    )


_AUTOMATIC_FORM = (
    Field(
        "start",
        "When the host starts",
        "What the machine does then",
        amounts.integer,
        current=lambda target: _automatic(target).start,
        choices=lambda target: _STARTS,
        problem=hot_rule("start", lambda target: _automatic(target).start),
    ),
    Field(
        "start_delay",
        "Start delay",
        "How long it waits before that, such as 90s or 5m",
        amounts.span,
        current=lambda target: _automatic(target).start_delay,
        problem=between(
            0, _LONGEST_DELAY, lambda target: _automatic(target).start_delay, amounts.shown_span
        ),
        shown=amounts.shown_span,
    ),
    Field(
        "stop",
        "When the host stops",
        "What becomes of the machine then",
        amounts.integer,
        current=lambda target: _automatic(target).stop,
        choices=lambda target: _STOPS,
        problem=hot_rule("stop", lambda target: _automatic(target).stop),
    ),
    Field(
        "critical",
        "When storage is lost",
        "What the machine does then",
        amounts.integer,
        current=lambda target: _automatic(target).critical,
        choices=lambda target: _CRITICAL,
    ),
    Field(
        "checkpoint_type",
        "Checkpoint type",
        "What a checkpoint of it is unless asked otherwise",
        amounts.integer,
        current=lambda target: _automatic(target).checkpoint_type,
        choices=lambda target: CHECKPOINT_TYPES,
        problem=hot_rule("checkpoint_type", lambda target: _automatic(target).checkpoint_type),
    ),
    Field(
        "automatic_checkpoints",
        "Automatic checkpoints",
        "Take a checkpoint whenever it starts",
        bool,
        current=lambda target: _automatic(target).automatic_checkpoints,
    ),
)

# -- version -------------------------------------------------------------------------------


def _not_upgradable(target: Target) -> str | None:
    if not is_off(target):
        return cold_only("its version")(target)
    if any(checkpoint.kind == "missing" for checkpoint in vm_of(target).checkpoints):
        return "files of a checkpoint are missing"
    return None


def _upgrade(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return settings.upgrade_version(client, target.id, target.name)


def _upgraded(
    target: Target, before: Target, asked_at: float, arguments: Mapping[str, Any]
) -> bool:
    return hot.version(vm_of(target)) > hot.version(vm_of(before))


# -- tags ----------------------------------------------------------------------------------


def _tag_words(text: str) -> tuple[str, ...]:
    """Tags, with or without their sign."""
    return tuple(dict.fromkeys(word.lstrip("#") for word in amounts.words(text)))


def _tags_problem(target: Target, value: Any) -> str | None:
    for tag in value:
        if not tag or "#" in tag or names.has_control(tag):
            return f"{tag!r} cannot be a tag"
    return None


def _groups_problem(target: Target, value: Any) -> str | None:
    reasons = (names.problem(group) for group in value if group not in _groups(target))
    return next(filter(None, reasons), None)


def _groups(target: Target) -> tuple[str, ...]:
    return target.sheet.groups if target.sheet else ()


def _tags(arguments: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(tag) for tag in arguments.get(name) or ())


def _tag_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    both = set(_tags(arguments, "add")) & set(_tags(arguments, "remove"))
    return f"#{min(both)} is to be added and removed" if both else None


def _tag(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Steps:
    now, then = _groups(target), tuple(given(arguments, "groups", _groups(target)))
    folded = {group.casefold() for group in now}
    kept = {group.casefold() for group in then}
    return groups.tag(
        client, target.id, target.name,
        add=_tags(arguments, "add"), remove=_tags(arguments, "remove"),
        join=[group for group in then if group.casefold() not in folded],
        leave=[group for group in now if group.casefold() not in kept],
    )  # fmt: skip


def _tagged(target: Target, arguments: Mapping[str, Any]) -> bool:
    notes = vm_of(target).notes
    return notes == groups.retagged(notes, _tags(arguments, "add"), _tags(arguments, "remove"))


_TAG_FORM = (
    Field(
        "add",
        "Add",
        "Tags to write into the notes, apart by spaces",
        _tag_words,
        problem=_tags_problem,
        shown=amounts.shown_list,
        optional=True,
    ),
    Field(
        "remove",
        "Remove",
        "Tags to take out of the notes, apart by spaces",
        _tag_words,
        problem=_tags_problem,
        shown=amounts.shown_list,
        optional=True,
    ),
    Field(
        "groups",
        "Groups",
        "The groups of its host that it belongs to, apart by commas; new ones are made",
        amounts.names,
        current=_groups,
        problem=_groups_problem,
        shown=amounts.shown_list,
    ),
)

ACTIONS: tuple[Action, ...] = (
    Action(
        "vm.set-security",
        "Security",
        "Set secure boot, its template, the virtual TPM and encryption",
        Kind.VM,
        _set_security,
        why_not=_not_securable,
        form=_SECURITY_FORM,
        conflict=_security_conflict,
        observed=_security_seen,
        effect="The firmware and the virtual TPM are set for the next start",
        calls="ModifySystemSettings, Msvm_SecurityService.SetKeyProtector and "
        "ModifySecuritySettings",
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "vm.set-automatic",
        "Automatic actions",
        "Set what it does when its host starts, stops or loses storage, and its checkpoints",
        Kind.VM,
        _set_automatic,
        form=_AUTOMATIC_FORM,
        observed=_automatic_seen,
        effect="The policy changes; the machine goes on as it is",
        calls="Msvm_VirtualSystemManagementService.ModifySystemSettings",
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "vm.upgrade-version",
        "Upgrade version",
        "Bring the configuration version up to the newest its host knows",
        Kind.VM,
        _upgrade,
        why_not=_not_upgradable,
        since=_upgraded,
        risk=Risk.RED,
        effect="It can never run on an older host again: this cannot be undone",
        calls="Msvm_VirtualSystemManagementService.UpgradeSystemVersion",
        deep=True,
        group=_GROUP,
    ),
    Action(
        "vm.tag",
        "Tags",
        "Add or remove tags in the notes, and the groups it shares with other machines",
        Kind.VM,
        _tag,
        form=_TAG_FORM,
        conflict=_tag_conflict,
        observed=_tagged,
        effect="Notes and groups change; the machine goes on as it is",
        calls="ModifySystemSettings(Notes), Msvm_CollectionManagementService.AddMember",
        needs_sheet=True,
        group=_GROUP,
    ),
)
