"""A program that was written against the generated client: contacts, and records of an object that only this server has.

Its types are checked before it runs. Where the document says something else than the server does, one of both fails.
"""

import datetime
import os

from rapport_client import AuthenticatedClient
from rapport_client.api.contact import change_contact, create_contact, list_contact, read_contact, remove_contact
from rapport_client.api.service_contract import (
    change_service_contract,
    create_service_contract,
    list_service_contract,
    read_service_contract,
    remove_service_contract,
    restore_service_contract,
)
from rapport_client.models import (
    ContactChange,
    ContactChangeFields,
    ContactList,
    ContactNew,
    ContactNewFields,
    ContactRecord,
    Problem,
    ServiceContractChange,
    ServiceContractChangeFields,
    ServiceContractLevel,
    ServiceContractList,
    ServiceContractNew,
    ServiceContractNewFields,
    ServiceContractRecord,
)


def contacts(client: AuthenticatedClient) -> str:
    """Makes a contact, finds it, changes it; its id."""
    new = ContactNew(fields=ContactNewFields(name="Ann Example", email="ann@contract.example", birthday=datetime.date(1990, 5, 1)))
    made = create_contact.sync(client=client, body=new)
    assert isinstance(made, ContactRecord), made
    assert made.fields.birthday == datetime.date(1990, 5, 1)
    found = list_contact.sync(client=client, filter_='email == "ann@contract.example"', count=True)
    assert isinstance(found, ContactList), found
    assert [record.id for record in found.records] == [made.id] and found.total == 1
    city = ContactChange(fields=ContactChangeFields(city="Bergen", birthday=None))
    changed = change_contact.sync(made.id, client=client, body=city, if_match=f'"{made.version}"')
    assert isinstance(changed, ContactRecord), changed
    assert changed.fields.city == "Bergen" and not changed.fields.birthday
    stale = change_contact.sync_detailed(made.id, client=client, body=city, if_match=f'"{made.version}"')
    assert stale.status_code == 412 and isinstance(stale.parsed, Problem) and stale.parsed.code == "stale", stale
    return made.id


def contracts(client: AuthenticatedClient, contact: str) -> None:
    """The same with an object of the organisation's own, into the trash and back."""
    fields = ServiceContractNewFields(
        name="Gold for Ann", seats=12, level=ServiceContractLevel.GOLD, signed=datetime.date(2026, 1, 31), customer=contact
    )
    made = create_service_contract.sync(client=client, body=ServiceContractNew(fields=fields))
    assert isinstance(made, ServiceContractRecord), made
    assert (made.fields.seats, made.fields.level, made.fields.twice) == (12, "gold", 24)
    found = list_service_contract.sync(client=client, filter_='customer.name == "Ann Example" && seats > 10')
    assert isinstance(found, ServiceContractList) and [record.id for record in found.records] == [made.id], found
    more = ServiceContractChange(fields=ServiceContractChangeFields(seats=13, level=None))
    changed = change_service_contract.sync(made.id, client=client, body=more)
    assert isinstance(changed, ServiceContractRecord), changed
    assert changed.fields.seats == 13 and not changed.fields.level
    assert remove_service_contract.sync_detailed(made.id, client=client).status_code == 204
    gone = read_service_contract.sync(made.id, client=client)
    assert isinstance(gone, ServiceContractRecord) and gone.deleted_at, gone
    back = restore_service_contract.sync(made.id, client=client)
    assert isinstance(back, ServiceContractRecord) and not back.deleted_at, back
    nameless = create_service_contract.sync(client=client, body=ServiceContractNew(fields=ServiceContractNewFields(name="")))
    assert isinstance(nameless, Problem) and (nameless.status, nameless.field) == (422, "name"), nameless


def mistakes() -> None:
    """What a checker of types must find; an `ignore` that is not needed fails the check."""
    ServiceContractNewFields(name=5)  # type: ignore[arg-type]
    ServiceContractNewFields()  # type: ignore[call-arg]
    ServiceContractNewFields(name="a", level="gold")  # type: ignore[arg-type]
    ContactNewFields(name="a", nickname="b")  # type: ignore[call-arg]


def main() -> None:
    """The whole story."""
    with AuthenticatedClient(base_url=os.environ["RAPPORT_URL"], token=os.environ["RAPPORT_API_KEY"]) as client:
        contact = contacts(client)
        contracts(client, contact)
        assert remove_contact.sync_detailed(contact, client=client).status_code == 204
        gone = read_contact.sync(contact, client=client)
        assert isinstance(gone, ContactRecord) and gone.deleted_at, gone


if __name__ == "__main__":
    main()
