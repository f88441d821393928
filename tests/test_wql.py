from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tui.sim import where, wql
from tui.sim.wql import BadQuery, Both, Compare, Either, IsNull, Not, Op, Select, Walk
from tui.wsman import schema
from tui.wsman.cim import CimInstance, CimRef, CimValue

GUID = "6E8A3A6F-0C5C-4B0C-9B6B-0D6D3A4F5E01"


def condition(text: str) -> wql.Condition:
    statement = wql.parse(f"SELECT * FROM Msvm_ComputerSystem WHERE {text}")
    assert isinstance(statement, Select)
    assert statement.where is not None
    return statement.where


def machine(**values: CimValue) -> CimInstance:
    given: dict[str, CimValue] = {
        "CreationClassName": "Msvm_ComputerSystem",
        "Name": GUID,
        "ElementName": "web-01",
        "EnabledState": 2,
        "OnTimeInMilliseconds": 6138293824,
        "OperationalStatus": (2,),
        "InstallDate": datetime(2025, 3, 4, 5, 6, 7, 890000, tzinfo=UTC),
        "Caption": None,
        **values,
    }
    return CimInstance("Msvm_ComputerSystem", given, schema.VIRTUALIZATION)


def ref_of(instance: CimInstance) -> CimRef:
    keys = tuple((key, str(instance[key])) for key in ("CreationClassName", "Name"))
    return CimRef(instance.class_name, keys, instance.namespace)


def holds(text: str, instance: CimInstance | None = None) -> bool | None:
    instance = instance or machine()
    cls = schema.cim_class(instance.namespace, instance.class_name)
    assert cls is not None
    return where.compile(condition(text), where.Scope(cls, "HV01", ref_of))(instance)


# -- grammar ---------------------------------------------------------------------------------


def test_select_names_columns_and_class() -> None:
    assert wql.parse("select Name , __CLASS\n from  Win32_Volume ") == Select(
        ("Name", "__CLASS"), "Win32_Volume", None
    )
    assert wql.parse("SELECT * FROM CIM_Job") == Select((), "CIM_Job", None)


def test_and_binds_tighter_than_or_and_not_tightest() -> None:
    a, b, c = (Compare(name, Op.EQ, 1) for name in "ABC")
    assert condition("A=1 OR B=1 AND C=1") == Either((a, Both((b, c))))
    assert condition("(A=1 OR B=1) AND C=1") == Both((Either((a, b)), c))
    assert condition("NOT A=1 AND B=1") == Both((Not(a), b))
    assert condition("NOT (A=1 AND B=1)") == Not(Both((a, b)))


def test_a_constant_on_the_left_turns_the_comparison_round() -> None:
    assert condition("3 < EnabledState") == Compare("EnabledState", Op.GT, 3)
    assert condition("'x' != Name") == Compare("Name", Op.NE, "x")


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'plain'", "plain"),
        ('"double"', "double"),
        ("'it\\'s'", "it's"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("'Microsoft:A\\\\B'", "Microsoft:A\\B"),
        ("'it \"is\"'", 'it "is"'),
        ("-5", -5),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("TRUE", True),
        ("false", False),
        ("18446744073709551615", 18446744073709551615),
    ],
)
def test_constants(literal: str, value: object) -> None:
    found = condition(f"X = {literal}")
    assert found == Compare("X", Op.EQ, value)  # type: ignore[arg-type]
    assert isinstance(found, Compare)
    assert type(found.constant) is type(value)


def test_null_tests() -> None:
    assert condition("Caption IS NULL") == IsNull("Caption")
    assert condition("Caption is not null") == Not(IsNull("Caption"))
    assert condition("Caption = NULL") == IsNull("Caption")
    assert condition("Caption <> NULL") == Not(IsNull("Caption"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DELETE FROM Win32_Process",
        "SELECT FROM Msvm_ComputerSystem",
        "SELECT *, Name FROM Msvm_ComputerSystem",
        "SELECT * FROM",
        "SELECT * FROM meta_class",
        "SELECT * FROM Msvm_ComputerSystem WHERE",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name =",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name = ElementName",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name = 'a' AND",
        "SELECT * FROM Msvm_ComputerSystem WHERE (Name = 'a'",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name = 'a')",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name = 'unfinished",
        "SELECT * FROM Msvm_ComputerSystem WHERE Name = 'C:\\Windows'",
        "SELECT * FROM Msvm_ComputerSystem WHERE 'a' LIKE Name",
        "SELECT * FROM Msvm_ComputerSystem WHERE EnabledState > NULL",
        "SELECT * FROM Msvm_ComputerSystem; SELECT * FROM CIM_Job",
        "SELECT * FROM Msvm_ComputerSystem WITHIN 5 WHERE Name = 'a'",
        "ASSOCIATORS OF Msvm_ComputerSystem.Name='a'",
        "ASSOCIATORS OF {Msvm_ComputerSystem.Name=}",
        "ASSOCIATORS OF {Msvm_ComputerSystem.Name='a'} WHERE",
        "ASSOCIATORS OF {Msvm_ComputerSystem.Name='a'} WHERE Colour = Red",
        "ASSOCIATORS OF {A.Name='a'} WHERE Role = x AND ResultClass = y",
        "ASSOCIATORS OF {A.Name='a'} WHERE Role = x Role = y",
        "REFERENCES OF {Msvm_ComputerSystem.Name='a'} WHERE AssocClass = CIM_Dependency",
        "SELECT * FROM Msvm_ComputerSystem WHERE " + "(" * 5000 + "Name='a'" + ")" * 5000,
        "SELECT * FROM Msvm_ComputerSystem WHERE " + "NOT " * 5000 + "Name='a'",
    ],
)
def test_what_is_not_wql_is_refused(text: str) -> None:
    with pytest.raises(BadQuery):
        wql.parse(text)


def test_associators_restrictions_stand_side_by_side() -> None:
    found = wql.parse(
        'ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",'
        f'Name="{GUID}"}} WHERE AssocClass = Msvm_SettingsDefineState '
        "resultclass=Msvm_VirtualSystemSettingData Role=ManagedElement ResultRole = SettingData"
    )
    assert found == Walk(
        CimRef(
            "Msvm_ComputerSystem",
            (("CreationClassName", "Msvm_ComputerSystem"), ("Name", GUID)),
        ),
        references=False,
        assoc_class="Msvm_SettingsDefineState",
        result_class="Msvm_VirtualSystemSettingData",
        role="ManagedElement",
        result_role="SettingData",
    )


def test_paths_unescape_and_may_hold_braces() -> None:
    found = wql.parse(r'REFERENCES OF {Msvm_X.InstanceID="Microsoft:{A}\\B\"C"}')
    assert found == Walk(CimRef("Msvm_X", (("InstanceID", 'Microsoft:{A}\\B"C'),)), True)
    found = wql.parse(r"ASSOCIATORS OF {\\HV01\root\virtualization\v2:Msvm_X.A='1',B=2}")
    assert isinstance(found, Walk)
    assert found.source == CimRef("Msvm_X", (("A", "1"), ("B", "2")), "root/virtualization/v2")


# -- evaluation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "enabledstate = 2",
        "EnabledState = '2'",
        "EnabledState <> 3",
        "EnabledState >= 2 AND EnabledState < 3",
        "OnTimeInMilliseconds > 4294967296",
        "ElementName = 'WEB-01'",
        "ElementName > 'WEB' AND ElementName < 'web-02'",
        "ElementName LIKE 'web%'",
        "ElementName LIKE 'WEB-__'",
        "ElementName LIKE '%0[0-3]'",
        "ElementName LIKE '%[a=f]-%'",
        "ElementName LIKE '[^a-m]eb%'",
        "NOT ElementName LIKE 'db%'",
        "ElementName NOT LIKE 'db%'",
        "Caption IS NULL AND Name IS NOT NULL",
        "OperationalStatus IS NOT NULL",
        "InstallDate > '20250304050607.000000+000'",
        "InstallDate = '20250304060607.890000+060'",
        "__CLASS = 'msvm_computersystem'",
        "__SUPERCLASS = 'CIM_ComputerSystem'",
        "__DYNASTY = 'CIM_ManagedElement'",
        "__SERVER = 'hv01'",
        "__NAMESPACE = 'ROOT\\\\virtualization\\\\v2'",
        f'__RELPATH = \'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",'
        f'Name="{GUID}"\'',
        "__PATH LIKE '\\\\\\\\HV01\\\\root\\\\virtualization\\\\v2:%'",
        "__THIS ISA 'CIM_System'",
        "__genus = 2",
    ],
)
def test_true_of_a_running_machine(text: str) -> None:
    assert holds(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "EnabledState = 3",
        "ElementName LIKE 'eb%'",
        "ElementName LIKE 'web.01'",
        "ElementName LIKE '%[^0-9]'",
        "__this ISA 'CIM_Job'",
        "InstallDate < '20250304050607.000000+000'",
        "Name = 'x' OR NOT EnabledState = 2",
    ],
)
def test_false_of_a_running_machine(text: str) -> None:
    assert holds(text) is False


def test_null_is_neither_equal_nor_different() -> None:
    assert not holds("Caption = 'x'")
    assert not holds("Caption <> 'x'")
    assert not holds("NOT Caption = 'x'")
    assert not holds("Caption LIKE '%'")
    assert holds("Caption = 'x' OR EnabledState = 2") is True
    assert holds("NOT (Caption = 'x' AND EnabledState = 3)") is True
    assert not holds("Caption = 'x' AND EnabledState = 2")


def test_thousands_of_terms_are_no_trouble() -> None:
    text = " OR ".join(f"Name = '{number}'" for number in range(5000))
    assert holds(text) is False
    assert holds(f"{text} OR Name = '{GUID}'") is True


def test_percent_spans_lines_and_special_characters() -> None:
    odd = machine(ElementName="a.*\n(b)")
    assert holds("ElementName LIKE 'a.*%(b)'", odd) is True
    assert holds("ElementName LIKE 'a%b'", odd) is False


def test_embedded_objects_have_classes_and_properties() -> None:
    job = CimInstance("Msvm_MigrationJob", {"JobState": 4, "Name": "Moving"})
    cls = schema.cim_class(schema.VIRTUALIZATION, "Msvm_SummaryInformation")
    assert cls is not None
    scope = where.Scope(cls, "HV01", ref_of)
    row = CimInstance("Msvm_SummaryInformation", {"AsynchronousTasks": (job,)}, cls.namespace)
    test = where.compile(condition("AsynchronousTasks IS NOT NULL"), scope)
    assert test(row) is True
    with pytest.raises(BadQuery):
        where.compile(condition("AsynchronousTasks.JobState = 4"), scope)


def test_references_compare_as_paths() -> None:
    cls = schema.cim_class(schema.VIRTUALIZATION, "Msvm_SystemDevice")
    assert cls is not None
    row = CimInstance(
        cls.name, {"GroupComponent": ref_of(machine()), "PartComponent": None}, cls.namespace
    )
    scope = where.Scope(cls, "HV01", ref_of)
    path = f'msvm_computersystem.name="{GUID.lower()}",creationclassname="Msvm_ComputerSystem"'
    assert where.compile(condition(f"GroupComponent = '{path}'"), scope)(row) is True
    assert where.compile(condition("GroupComponent ISA 'CIM_System'"), scope)(row) is True
    assert where.compile(condition("GroupComponent ISA 'CIM_Job'"), scope)(row) is False


@pytest.mark.parametrize(
    "text",
    [
        "Nonsense = 1",
        "EnabledState = 'two'",
        "EnabledState LIKE '2%'",
        "EnabledState = TRUE",
        "ElementName = FALSE",
        "OperationalStatus = 2",
        "InstallDate = 'yesterday'",
        "InstallDate > 5",
        "ElementName ISA 'CIM_System'",
        "__this ISA 5",
        "Name.Inner = 1",
    ],
)
def test_conditions_that_do_not_fit_the_class_are_refused(text: str) -> None:
    with pytest.raises(BadQuery):
        holds(text)


def test_booleans_and_intervals() -> None:
    cls = schema.cim_class(schema.VIRTUALIZATION, "Msvm_VirtualSystemSettingData")
    assert cls is not None
    scope = where.Scope(cls, "HV01", ref_of)
    values: dict[str, CimValue] = {
        "IsSaved": True,
        "AutomaticStartupActionDelay": timedelta(minutes=30),
    }
    row = CimInstance(cls.name, values, cls.namespace)

    def holds_here(text: str) -> bool | None:
        return where.compile(condition(text), scope)(row)

    assert holds_here("IsSaved = TRUE")
    assert holds_here("IsSaved = 'true'")
    assert holds_here("IsSaved <> 0")
    assert holds_here("AutomaticStartupActionDelay >= '00000000003000.000000:000'")
    assert not holds_here("AutomaticStartupActionDelay > '00000000003000.000000:000'")
    assert not holds_here("AutomaticStartupActionDelay > '20250304050607.000000+000'")
    with pytest.raises(BadQuery):
        holds_here("IsSaved > FALSE")


def test_a_condition_pins_a_key_only_when_it_must_hold() -> None:
    assert where.pinned(condition("instanceid = 'A' AND X = 1"), "InstanceID") == "A"
    assert where.pinned(condition("X = 1 AND InstanceID = 'A'"), "InstanceID") == "A"
    assert where.pinned(condition("InstanceID = 'A' OR X = 1"), "InstanceID") is None
    assert where.pinned(condition("NOT InstanceID = 'A'"), "InstanceID") is None
    assert where.pinned(condition("InstanceID LIKE 'A%'"), "InstanceID") is None
