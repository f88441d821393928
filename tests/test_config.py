"""Configuration: what is read, what is refused and how that is said, and that secrets stay away."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tui.config import (
    Notify,
    Thresholds,
    config_path,
    endpoint,
    key_map,
    load,
    masked,
    parse,
    resolve_secret,
)
from tui.config.show import effective
from tui.errors import ConfigError

FULL = """
theme = "deck-light"
[refresh]
fast = 3
[defaults]
user = 'CORP\\admin'
auth = "kerberos"
operation_timeout = 30
tags = ["corp"]
[hosts.hv01]
address = "hv01.corp.example"
[hosts."hv02.corp.example"]
auth = "basic"
password = "env:HV02"
read_only = true
groups = ["lab"]
[hosts.hv03]
url = "https://10.0.0.3:8443/wsman"
auth = "ntlm"
tags = ["edge"]
[groups]
prod = ["hv0*"]
[keys]
vm.start = "f2"
"vm.save" = ["f3", "f4"]
"vm.shutdown" = ""
"""


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c.toml")
    return caught.value


def test_hosts_take_the_defaults_they_do_not_overrule() -> None:
    config = parse(FULL, "c.toml")
    one, two, three = config.entries
    assert (one.url, one.auth, one.user) == (
        "http://hv01.corp.example:5985/wsman", "kerberos", "CORP\\admin",
    )  # fmt: skip
    assert (one.password, one.operation_timeout, one.tags) == ("", 30, ("corp",))
    assert (two.url, two.password) == ("https://hv02.corp.example:5986/wsman", "env:HV02")
    assert two.read_only
    assert (three.url, three.password) == ("https://10.0.0.3:8443/wsman", "prompt")
    assert three.tags == ("edge",)


def test_groups_by_member_and_by_host() -> None:
    config = parse(FULL, "c.toml")
    assert [host.id for host in config.select(["lab"])] == ["hv02.corp.example"]
    assert len(config.select(["prod"])) == 3
    assert len(config.select()) == 3
    with pytest.raises(ConfigError, match="did you mean lab"):
        config.select(["lap"])


@pytest.mark.parametrize(
    ("address", "auth", "url"),
    [
        ("hv01", "ntlm", "http://hv01:5985/wsman"),
        ("hv01", "kerberos", "http://hv01:5985/wsman"),
        ("hv01", "basic", "https://hv01:5986/wsman"),
        ("hv01", "certificate", "https://hv01:5986/wsman"),
        ("hv01:5986", "ntlm", "https://hv01:5986/wsman"),
        ("hv01:25001", "basic", "http://hv01:25001/wsman"),
        ("fe80::1", "ntlm", "http://[fe80::1]:5985/wsman"),
        ("[fe80::1]:5986", "ntlm", "https://[fe80::1]:5986/wsman"),
        ("http://x/wsman", "basic", "http://x/wsman"),
    ],
)
def test_an_address_becomes_an_endpoint(address: str, auth: str, url: str) -> None:
    assert endpoint(address, auth) == url


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("thme = 'x'", "thme", "did you mean theme?"),
        ("[hosts.hv01]\nadress = 'x'", "hosts.hv01.adress", "did you mean address?"),
        ("[hosts.hv01.corp]\nurl = 'x'", "hosts.hv01.corp", "is not a setting"),
        ("[hosts.hv01]\nauth = 'ntml'", "hosts.hv01.auth", "not ntml: did you mean ntlm?"),
        ("[hosts.hv01]\noperation_timeout = 'x'", "hosts.hv01.operation_timeout",
         "must be a whole number, not text"),
        ("[hosts.hv01]\noperation_timeout = 0", "hosts.hv01.operation_timeout", "between 1 and"),
        ("hosts = 3", "hosts", "must be a table, not a whole number"),
        ("hosts.hv01 = 'x'", "hosts.hv01", "must be a table, not text"),
        ("mouse = 1", "mouse", "must be true or false, not a whole number"),
        ("[refresh]\nfast = 0.2", "refresh.fast", "at least 1 seconds"),
        ("[refresh]\nfast = 5\nslow = 2", "refresh.slow", "at least 5 seconds"),
        ("[refresh]\nrequests_per_minute = 9", "refresh.requests_per_minute", "at least 10"),
        ("[refresh]\nrequests_per_minute = -1", "refresh.requests_per_minute", "at least 10"),
        ("[refresh]\nfast = nan", "refresh.fast", "at least 1 seconds"),
        ("[hosts.hv01]\n[groups]\na = ['hv1']", "groups.a", "did you mean hv01?"),
        ("[hosts.hv01]\nurl = 'ftp://x'", "hosts.hv01.url", "http or https"),
        ("[hosts.hv01]\nurl = 'http://a:x:y'", "hosts.hv01.url", "http or https"),
        ("[hosts.hv01]\nauth='basic'\nurl='http://x/wsman'", "hosts.hv01.auth", "clear text"),
        ("[hosts.hv01]\nauth='certificate'", "hosts.hv01.auth", "cert_pem"),
        ("[defaults]\nurl = 'http://x'", "defaults.url", "cannot hold for every host"),
        ("[thresholds]\nhost_cpus = 1", "thresholds.host_cpus", "did you mean host_cpu?"),
        ("[thresholds]\nhost_cpu = 80", "thresholds.host_cpu", "a table, not a whole number"),
        ("thresholds.vm_cpu.warn = 1", "thresholds.vm_cpu.warn", "did you mean warning?"),
        ("thresholds.vm_cpu.warning = -1", "thresholds.vm_cpu.warning", "such as 80"),
        ("thresholds.vm_cpu.warning = true", "thresholds.vm_cpu.warning", "such as 80"),
        ("thresholds.vm_cpu.warning = nan", "thresholds.vm_cpu.warning", "such as 80"),
        ("thresholds.vm_cpu.warning = '80 s'", "thresholds.vm_cpu.warning", "not 80 s"),
        ("thresholds.vm_cpu.warning = 97", "thresholds.vm_cpu.critical", "must not be below"),
        ("thresholds.volume_free.critical = 20", "thresholds.volume_free.critical",
         "must not be above its warning level, 10"),
        ("thresholds.disk_latency.warning = 10", "thresholds.disk_latency.warning", "10ms"),
        ("thresholds.clock_skew.warning = '1x'", "thresholds.clock_skew.warning", "a time"),
        (f"thresholds.data_age.warning = '{9:0<400}d'", "thresholds.data_age.warning", "a time"),
        ("thresholds.heartbeat_lost = 'bad'", "thresholds.heartbeat_lost", "one of critical"),
        ("[notify]\ndesktop = 'osc8'", "notify.desktop", "did you mean osc9"),
        ("[notify]\nbel = true", "notify.bel", "did you mean bell?"),
        ("watch = ['vms:sql*']", "watch", "did you mean vm?"),
        ("watch = ['hv01:5985']", "watch", "nothing to watch"),
        ("watch = ['vm:']", "watch", "nothing to watch"),
        ("watch = 'hv01'", "watch", "must be a list"),
    ],
)  # fmt: skip
def test_an_error_names_file_key_and_remedy(text: str, key: str, says: str) -> None:
    error = refused(text)
    assert (error.file, error.key) == ("c.toml", key)
    assert "c.toml" in error.title
    assert says in str(error)


def test_a_level_given_stands_over_the_usual_ones() -> None:
    words = """
    watch = ["hv01", "host:hv02:5986", "vm:sql*", "cluster:*"]
    [notify]
    bell = false
    desktop = "osc777"
    [thresholds]
    volume_free.critical = 2.5
    disk_latency = { warning = "1.5ms", critical = "never" }
    time_to_full.warning = "3d"
    heartbeat_lost = "never"
    """
    settings = parse(words, "c.toml").settings
    assert settings.watch == ("hv01", "host:hv02:5986", "vm:sql*", "cluster:*")
    assert settings.notify == Notify(bell=False, desktop="osc777")
    levels, usual = settings.thresholds, Thresholds()
    assert (levels.volume_free.warning, levels.volume_free.critical) == (10.0, 2.5)
    assert (levels.disk_latency.warning, levels.disk_latency.critical) == (0.0015, None)
    assert (levels.time_to_full.warning, levels.time_to_full.critical) == (259_200.0, 43_200.0)
    assert levels.heartbeat_lost == "never"
    assert levels.vm_cpu == usual.vm_cpu


def test_levels_are_shown_as_they_are_written() -> None:
    text = '[thresholds]\nclock_skew.warning = "90.5s"\ndisk_latency.critical = "never"'
    shown = {one.key: one for one in effective(parse(text, "c.toml"))}
    found = shown["thresholds.clock_skew.warning"]
    assert (found.value, found.origin) == ("90.5s", "c.toml")
    assert shown["thresholds.disk_latency.critical"].value == "never"
    assert shown["thresholds.time_to_full.warning"].value == "2d"
    assert shown["thresholds.disk_latency.warning"].value == "10ms"
    assert shown["thresholds.volume_free.critical"].origin == "default"
    lines = [
        f"{key} = {json.dumps(one.value)}"
        for key, one in shown.items()
        if key.startswith(("thresholds", "notify", "watch"))
    ]
    again = parse("\n".join(lines), "c.toml").settings
    assert again == parse(text, "c.toml").settings


def test_broken_toml_names_the_line() -> None:
    assert "line 2" in str(refused("theme = 'x'\nmouse ==\n"))


@pytest.mark.parametrize(
    "text",
    [
        "[hosts.hv01]\nuser = 'u'\npassword = 'hunter2'",
        "[defaults]\npassword = 'hunter2'",
        "[hosts.hv01]\npassword = ['hunter2']",
        "[hosts.hv01]\npasword = 'hunter2'",
        "[hosts.hv01]\nurl = 'https://u:hunter2@hv01/wsman'",
        "[hosts.hv01]\nproxy = 'http://u:hunter2@proxy:8080'",
    ],
)
def test_a_password_in_the_file_is_refused_and_never_repeated(text: str) -> None:
    error = refused(text)
    assert "hunter2" not in f"{error} {error.hint} {error!r}"


def test_a_literal_password_is_answered_with_the_references_there_are() -> None:
    hint = refused("[hosts.hv01]\nuser = 'u'\npassword = 'hunter2'").hint
    for word in ("prompt", "env:", "keyring:", "command:"):
        assert word in hint


def test_clear_text_is_possible_when_the_words_say_so() -> None:
    text = "[hosts.a]\nauth='basic'\nurl='http://a:1/wsman'\nallow_cleartext_basic=true\nuser='u'"
    (host,) = parse(text, "c.toml").entries
    fields = host.link_fields("s3cret")
    assert fields["allow_cleartext"] is True
    assert fields["password"] == "s3cret"
    assert "s3cret" not in repr(host)


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    assert config_path({"HVDECK_CONFIG": str(file)}) == file
    assert config_path({}).parts[-2:] == ("hvdeck", "config.toml")
    with pytest.raises(ConfigError, match="does not exist"):
        load(environ={"HVDECK_CONFIG": str(file)})
    file.write_text("[hosts.hv01]\n", encoding="utf-8-sig")
    config = load(environ={"HVDECK_CONFIG": str(file)})
    assert config.file == str(file)
    assert [host.url for host in config.entries] == ["http://hv01:5985/wsman"]


def test_no_file_at_the_usual_place_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    config = load(environ={})
    assert config.entries == ()
    assert config.file == ""


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "c.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_the_environment_overrules_and_is_named() -> None:
    config = parse("theme = 'a'", "c.toml", {"HVDECK_THEME": "b", "HVDECK_ASCII": "yes"})
    assert (config.settings.theme, config.settings.ascii) == ("b", True)
    assert config.environment == {"theme": "HVDECK_THEME", "ascii": "HVDECK_ASCII"}
    with pytest.raises(ConfigError, match="HVDECK_MOUSE: mouse must be true or false"):
        parse("", "c.toml", {"HVDECK_MOUSE": "maybe"})


# -- secrets -------------------------------------------------------------------------------


def never(text: str) -> str:
    raise AssertionError(f"asked for {text}")


def test_a_secret_from_the_environment_a_prompt_and_nowhere() -> None:
    assert resolve_secret("env:PW", prompt=never, environ={"PW": "a b"}) == "a b"
    assert resolve_secret("", prompt=never) == ""
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return "typed"

    assert resolve_secret("prompt", prompt=prompt, user="u", host="hv01") == "typed"
    assert asked == ["Password of u on hv01: "]
    with pytest.raises(ConfigError, match="PW is not set"):
        resolve_secret("env:PW", prompt=never, environ={})


def test_a_secret_from_a_command_is_its_first_line_and_no_shell_runs(tmp_path: Path) -> None:
    script = tmp_path / "pass.py"
    script.write_text("import sys; print(sys.argv[1]); print('second')")
    line = f"command:{sys.executable} {script} '$HOME; echo x'"
    assert resolve_secret(line, prompt=never) == "$HOME; echo x"


@pytest.mark.parametrize("line", ["command:/nonexistent/tool s3cret", "command:tool 's3cret"])
def test_a_command_that_fails_does_not_show_its_arguments(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_secret(line, prompt=never)
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_command_that_exits_badly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exit 3"):
        resolve_secret(f"command:{sys.executable} -c 'raise SystemExit(3)'", prompt=never)


def test_a_reference_is_shown_without_a_command_s_arguments() -> None:
    assert masked("command:pass show s3cret") == "command:pass …"
    assert masked("env:PW") == "env:PW"


# -- keys ----------------------------------------------------------------------------------

ACTIONS = [
    ("vm.start", "vm", ("s",)),
    ("vm.save", "vm", ()),
    ("vm.shutdown", "vm", ("S",)),
    ("host.refresh", "host", ("r",)),
    ("app.quit", "app", ("q",)),
]


def test_keys_are_overlaid() -> None:
    keys = key_map(parse(FULL, "c.toml"), ACTIONS)
    assert keys["vm.start"] == ("f2",)
    assert keys["vm.save"] == ("f3", "f4")
    assert keys["vm.shutdown"] == ()
    assert keys["app.quit"] == ("q",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[keys]\nvm.strat = "x"', "did you mean vm.start?"),
        ('[keys]\nvm.save = "s"', "both vm.start and vm.save"),
        ('[keys]\nvm.save = "q"', "both app.quit and vm.save"),
    ],
)
def test_keys_that_cannot_be(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        key_map(parse(text, "c.toml"), ACTIONS)


def test_a_pane_may_have_keys_that_mean_something_else_elsewhere() -> None:
    panes = [*ACTIONS, ("graphs.zoom-in", "pane graphs", ("q",)), ("graphs.now", "pane graphs", ())]
    keys = key_map(parse('[keys]\n"graphs.now" = "s"', "c.toml"), panes)
    assert keys["graphs.zoom-in"] == keys["app.quit"] == ("q",)
    assert keys["graphs.now"] == keys["vm.start"] == ("s",)
    with pytest.raises(ConfigError, match=r"both graphs\.zoom-in and graphs\.now"):
        key_map(parse('[keys]\n"graphs.now" = "q"', "c.toml"), panes)


def test_one_key_may_mean_two_things_on_two_kinds() -> None:
    assert key_map(parse('[keys]\nhost.refresh = "s"', "c.toml"), ACTIONS)["vm.start"] == ("s",)
