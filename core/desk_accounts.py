"""Orders about accounts, their devices, and the permits that make accounts and set passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import records
from core.clock import Instant
from core.commands import Command, Note, Send, Trust
from core.ordered import account, account_key, change, decline, need, page, put, reply, settled
from core.orders import (
    AddAccount,
    AddPermit,
    Bar,
    EndDevice,
    EndPermit,
    LetReset,
    ListAccounts,
    ListDevices,
    ListPermits,
    Order,
    SetPassword,
)
from core.received import Ordered
from core.records import FOREVER, Account, DamagedRecord, Key, Permit
from core.registered import record
from core.sessions import Sessions
from protocol import errors, frames, names
from protocol.passwords import SCHEME


class AccountsDesk:
    """Answers."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.table: dict[type[Order], Callable[[Ordered, Any, Instant], list[Command]]] = {
            ListAccounts: self._accounts,
            AddAccount: self._add,
            LetReset: self._let_reset,
            Bar: self._bar,
            SetPassword: self._password,
            ListDevices: self._devices,
            EndDevice: self._end_device,
            ListPermits: self._permits,
            AddPermit: self._add_permit,
            EndPermit: self._end_permit,
        }

    # -- accounts --

    def _accounts(self, event: Ordered, order: ListAccounts, now: Instant) -> list[Command]:
        keys, after = page(event, records.account(""), order.after)
        need(event, *keys)
        return reply(event, accounts=[self._fact(event, key, now) for key in keys if event.found[key]], after=after)

    def _fact(self, event: Ordered, key: str, now: Instant) -> dict[str, Any]:
        name = key.removeprefix(records.account(""))
        try:
            found: Account = record(event, key, Account)
        except DamagedRecord:
            return {"account": name, "damaged": True}
        return {
            "account": found.name,
            "made_at": found.made_at,
            "here": self._sessions.present(name),
            "devices": len(found.bound),
            "rooms": len(found.rooms),
            "password": bool(found.hash),
            "closed": found.barred == FOREVER,
            "banned_until": found.barred if found.is_barred(now.at) and found.barred < FOREVER else 0,
        }

    def _add(self, event: Ordered, order: AddAccount, now: Instant) -> list[Command]:
        """Make it together with the permit that gives it a password."""
        key, permit = account_key(event, order.account), records.permit(order.mark)
        need(event, records.account(key), permit, logs=(names.LOBBY,))
        if "done" in event.found:
            return reply(event, account=names.shown(order.account), until=order.until)
        if event.found[records.account(key)]:
            return decline(event, "account-exists", name=order.account)
        _, head = event.found["head/" + names.LOBBY]
        made = Account(names.shown(order.account), SCHEME, "", now.at, {names.LOBBY: head})
        also = change(event, permit, Permit(key, order.until, 1, now.at))
        return put(event, records.account(key), made, also)

    def _let_reset(self, event: Ordered, order: LetReset, now: Instant) -> list[Command]:
        """The old password stays good until the new one is there: a slip of the operator's locks nobody out."""
        permit = records.permit(order.mark)
        key, found = account(event, order.account, permit)
        if "done" in event.found:
            return reply(event, account=found.name, until=order.until)
        return put(event, permit, Permit(key, order.until, 1, now.at))

    def _bar(self, event: Ordered, order: Bar, now: Instant) -> list[Command]:
        """First nobody is let in, then those who are in are sent away."""
        key, found = account(event, order.account)
        if "done" not in event.found:
            if order.until == 0 and not found.is_barred(now.at):
                return decline(event, "not-barred", name=found.name)
            found.barred = order.until
            return put(event, records.account(key), found)
        for session in self._sessions.by_peer.values():
            session.routes.clear()  # nothing is sent to a closed account
        code, text = found.bar, errors.sentence(found.bar, **found.bar_places)
        sessions = list(self._sessions.of(key)) if found.is_barred(now.at) else []
        ended = [command for each in sessions for command in end(self._sessions, each.peer, code, text)]
        return [*ended, *reply(event, account=found.name, until=order.until, sessions=len(sessions))]

    def _password(self, event: Ordered, order: SetPassword, now: Instant) -> list[Command]:
        key, found = account(event, order.account)
        if "done" in event.found:
            return reply(event, account=found.name)
        found.scheme, found.hash = order.scheme, order.hash
        return put(event, records.account(key), found)

    # -- devices --

    def _devices(self, event: Ordered, order: ListDevices, now: Instant) -> list[Command]:
        key, found = account(event, order.account)
        need(event, *map(records.key, found.bound.values()))
        return reply(event, account=found.name, devices=self._device_facts(event, key, found))

    def _device_facts(self, event: Ordered, account_key: str, found: Account) -> list[dict[str, Any]]:
        facts = []
        for device, letters in found.bound.items():
            key: Key | None = record(event, records.key(letters), Key)
            fact: dict[str, Any] = {"device": device, "name": "", "first_at": 0, "seen_at": 0, "address": ""}
            if key:
                seen = {name: getattr(key, name) for name in ("name", "first_at", "seen_at", "address")}
                fact.update(seen)
            here = records.device(account_key, device) in self._sessions.by_device
            facts.append({**fact, "key": letters, "here": here})
        return sorted(facts, key=lambda each: -each["seen_at"])

    def _end_device(self, event: Ordered, order: EndDevice, now: Instant) -> list[Command]:
        """Its key and its place among the account's go in one; then its sessions end."""
        key, found = account(event, order.account)
        if "done" in event.found:
            return self._device_ended(event, key, found, *event.found["target"])
        meant = [(device, letters) for device, letters in found.bound.items() if device.startswith(order.device)]
        if len(meant) != 1:
            return decline(event, "no-device-of", name=found.name, device=order.device)
        event.found["target"] = device, letters = meant[0]
        need(event, records.key(letters))
        revoked: Key = record(event, records.key(letters), Key) or Key(key, device, "", now.at, now.at, "")
        revoked.revoked, found.devices[device] = True, ""
        return put(event, records.account(key), found, change(event, records.key(letters), revoked))

    def _device_ended(self, event: Ordered, key: str, found: Account, device: str, letters: str) -> list[Command]:
        """Every session of this key ends: a copied folder may have come with it under another id."""
        mine = [each for each in self._sessions.of(key) if each.key == letters]
        ended = [command for each in mine for command in end(self._sessions, each.peer, "revoked", "")]
        note = Note("revoked", {"account": found.name, "device": device, "from": "the operator"}, loud=True)
        return [note, *ended, *reply(event, account=found.name, device=device, sessions=len(mine))]

    # -- invitations --

    def _permits(self, event: Ordered, order: ListPermits, now: Instant) -> list[Command]:
        keys, after = page(event, records.permit(""), order.after)
        need(event, *keys)
        facts = []
        for key in keys:
            permit: Permit | None = record(event, key, Permit)
            if permit:
                fact = {name: getattr(permit, name) for name in permit.__struct_fields__}
                facts.append({"mark": key.removeprefix(records.permit("")), **fact, "over": permit.until <= now.at})
        return reply(event, permits=facts, after=after)

    def _add_permit(self, event: Ordered, order: AddPermit, now: Instant) -> list[Command]:
        permit = records.permit(order.mark)
        need(event, permit)
        if "done" in event.found:
            return reply(event, uses=order.uses, until=order.until)
        return put(event, permit, Permit("", order.until, order.uses, now.at))

    def _end_permit(self, event: Ordered, order: EndPermit, now: Instant) -> list[Command]:
        if "done" in event.found:
            return reply(event, mark=order.mark)
        keys, _ = page(event, records.permit(order.mark), "", 1)
        if len(event.found["browse/" + records.permit(order.mark)]) != 1:
            raise settled(event, "no-permit", mark=order.mark)
        need(event, *keys)
        return put(event, keys[0], None)


def end(sessions: Sessions, peer: bytes, code: str, text: str) -> list[Command]:
    """Say good-bye to a session for a reason of the operator's."""
    sessions.remove(sessions.by_peer[peer])
    return [Send(frames.encode(frames.Bye(code, text)), peer), Trust(peer, False)]
